/**
 * Brings guests up, several at once: until they join the timeline each is alone with its clock and can affect nobody, so they boot side
 * by side on as many cores as there are. Then each stands at the same time of its own clock, whatever it did to get there.
 */
import { NANOS_PER_MS, type Nanos, type Timeline } from '../clock/index.js';
import { check, libc, uninterrupted } from '../sys/index.js';
import type { Guest } from './guest.js';
import { GuestDied } from './guest-died.js';

/**
 * Linux's timer wheel rounds the end of a timer up to a multiple of an eighth of its length or less (kernel/time/timer.c): when a timer
 * of some length fires depends on where in such a multiple it began. Whatever begins at a multiple of this (2^18 ticks of 1 ms, the
 * granularity of timers of up to four and a half hours) sees all of them fire after the same time, in each run.
 */
export const PHASE_NS: Nanos = 2 ** 18 * NANOS_PER_MS;

/** The next time from now on at which timers fire as they did at the last. */
export const nextPhase = (nowNs: Nanos): Nanos => Math.ceil(nowNs / PHASE_NS) * PHASE_NS;

/** Real time within which a guest must have come up. */
const BOOTS_WITHIN_MS = 60_000;

/** Blocks until all of them wait, booted; they are then part of the timeline from the next phase on. */
export function bootGuests(guests: readonly Guest[], timeline: Timeline): void {
  const deadlineMs = performance.now() + BOOTS_WITHIN_MS;
  const booting = new Set(guests);
  while (booting.size > 0) {
    const ready = readable([...booting], deadlineMs);
    for (const guest of ready) {
      guest.clock.handle();
      if (!guest.clock.isWaiting) continue;
      if (guest.clock.nextNs >= PHASE_NS) booting.delete(guest);
      else guest.clock.grant(guest.clock.nextNs, PHASE_NS);
    }
  }
  const joinNs = nextPhase(timeline.now());
  for (const guest of guests) {
    guest.clock.join(joinNs - PHASE_NS);
    timeline.add(guest.clock);
  }
}

const POLLFD_OCTETS = 8;
const POLLIN = 1;

function readable(guests: readonly Guest[], deadlineMs: number): readonly Guest[] {
  const remainsMs = Math.ceil(deadlineMs - performance.now());
  const pollfds = new Uint8Array(guests.length * POLLFD_OCTETS);
  const view = new DataView(pollfds.buffer);
  guests.forEach((guest, i) => {
    view.setInt32(i * POLLFD_OCTETS, guest.clock.fd, true);
    view.setInt16(i * POLLFD_OCTETS + 4, POLLIN, true);
  });
  const ready =
    remainsMs > 0
      ? check(
          uninterrupted(() => libc.poll(pollfds, guests.length, remainsMs)),
          'poll',
        )
      : 0;
  const [first] = guests;
  if (ready === 0 && first !== undefined)
    throw new GuestDied(first.name, `it did not come up within ${BOOTS_WITHIN_MS} ms`, first.log);
  return guests.filter((_, i) => view.getInt16(i * POLLFD_OCTETS + 6, true) !== 0);
}
