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

/** Real time within which a guest must have come up: it takes a fifth of a second on a machine that has the time. */
const BOOTS_WITHIN_MS = 30_000;
/** A thread that is to end does so between two of these. */
const LOOKS_EVERY_MS = 200;

/** Blocks until all of them wait, booted; they are then part of the timeline from the next phase on. Throws GuestDied. */
export function bootGuests(
  guests: readonly Guest[],
  timeline: Timeline,
  withinMs: number = BOOTS_WITHIN_MS,
): void {
  try {
    bringUp(guests, withinMs);
  } catch (error) {
    throw explained(guests, error);
  }
  const joinNs = nextPhase(timeline.now());
  for (const guest of guests) {
    guest.clock.join(joinNs - PHASE_NS);
    timeline.add(guest.clock);
  }
}

function bringUp(guests: readonly Guest[], withinMs: number): void {
  const deadlineMs = performance.now() + withinMs;
  const booting = new Set(guests);
  while (booting.size > 0) {
    if (performance.now() > deadlineMs) throw tooLate([...booting], withinMs);
    for (const guest of readable([...booting])) {
      guest.clock.handle();
      if (!guest.clock.isWaiting) continue;
      if (guest.clock.nextNs >= PHASE_NS) booting.delete(guest);
      else guest.clock.grant(guest.clock.nextNs, PHASE_NS);
    }
    // A guest that has much to say waits until it is read.
    for (const guest of booting) guest.listen();
  }
}

/** What is known of the end of the guest that an error speaks of. */
export function explained(guests: readonly Guest[], error: unknown): unknown {
  if (!(error instanceof GuestDied)) return error;
  return guests.find(({ name }) => name === error.guest)?.explain(error) ?? error;
}

const POLLFD_OCTETS = 8;
const POLLIN = 1;

/** Those that have said something, within some time. */
function readable(guests: readonly Guest[]): readonly Guest[] {
  const pollfds = new Uint8Array(guests.length * POLLFD_OCTETS);
  const view = new DataView(pollfds.buffer);
  guests.forEach((guest, i) => {
    view.setInt32(i * POLLFD_OCTETS, guest.clock.fd, true);
    view.setInt16(i * POLLFD_OCTETS + 4, POLLIN, true);
  });
  check(
    uninterrupted(() => libc.poll(pollfds, guests.length, LOOKS_EVERY_MS)),
    'poll',
  );
  return guests.filter((_, i) => view.getInt16(i * POLLFD_OCTETS + 6, true) !== 0);
}

function tooLate([first, ...others]: readonly Guest[], withinMs: number): GuestDied {
  const which = first?.name ?? '';
  const more = others.length === 0 ? '' : ` (nor did ${others.map(({ name }) => name).join(', ')})`;
  return new GuestDied(which, `it did not come up within ${withinMs} ms${more}`);
}
