/** Starting and stopping timers. What happens when they run out is in `expire.ts`. */
import type { ControlBlock } from './control-block.js';
import { currentRtoNs } from './round-trip.js';
import { fromMs, type Nanos, NEVER } from './time.js';

/** `ms` from now; without it, an RTO. */
export const fromNow = (nowNs: Nanos, ms: number | undefined, block: ControlBlock): Nanos =>
  nowNs + (ms === undefined ? currentRtoNs(block) : fromMs(ms));

/** RFC 6298 rules 5.1 and 5.3. */
export function armRetransmit(block: ControlBlock, nowNs: Nanos): void {
  block.timers.retransmit = nowNs + currentRtoNs(block);
}

/** Rule 5.2: off when all is acknowledged. */
export function stopRetransmit({ timers }: ControlBlock): void {
  timers.retransmit = NEVER;
  timers.tailLossProbe = NEVER;
  timers.reorder = NEVER;
}

/** RFC 5482 section 3.1: the other side may ask for no less (L_LIMIT; RFC 9293 section 3.8.3 wants 100 s), and for no more (U_LIMIT). */
const LEAST_TOLD_MS = 100_000;
const MOST_TOLD_MS = 3_600_000;

/** How long what waits may wait: the program's user timeout, else the other side's (RFC 5482 section 3.1); 0: until R2. */
export function userTimeoutMs({ settings, peerUserTimeoutMs }: ControlBlock): number {
  if (settings.userTimeoutMs > 0) return settings.userTimeoutMs;
  if (peerUserTimeoutMs === 0) return 0;
  return Math.min(Math.max(peerUserTimeoutMs, LEAST_TOLD_MS), MOST_TOLD_MS);
}

/** The user timeout runs from when the oldest thing that waits began to wait. */
export function watchPatience(block: ControlBlock, nowNs: Nanos): void {
  const waits = block.sent.count > 0 || block.timers.persist !== NEVER;
  if (!waits) {
    block.troubleSinceNs = NEVER;
    block.timers.userTimeout = NEVER;
    return;
  }
  if (block.troubleSinceNs === NEVER) block.troubleSinceNs = nowNs;
  const ms = userTimeoutMs(block);
  block.timers.userTimeout = ms === 0 ? NEVER : block.troubleSinceNs + fromMs(ms);
}

/** RFC 9293 section 3.8.4: something came, or was sent; it may be silent for the idle time from now. */
export function watchIdleness(block: ControlBlock): void {
  const { settings, state } = block;
  const isWatched =
    settings.keepAlive && (state === 'ESTABLISHED' || state === 'CLOSE-WAIT' || state === 'FIN-WAIT-2');
  // Who waits for an ACK has timers that find out.
  if (!isWatched || block.sent.count > 0 || block.timers.persist !== NEVER) {
    block.timers.keepAlive = NEVER;
    return;
  }
  if (block.keepAlives > 0 && block.timers.keepAlive !== NEVER) return;
  block.timers.keepAlive = block.lastReceivedNs + fromMs(settings.keepAliveIdleMs);
}
