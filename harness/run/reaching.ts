/**
 * Waiting for a state: looks at a stack's sockets until one of them is in it. It looks when something has changed, where the lab tells
 * so, and else again and again.
 */
import { type Clock, NANOS_PER_MS, type Nanos } from '../clock/index.js';
import { type SocketState, type TcpState, WaitTimeout } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { StateChanges } from '../lab/index.js';
import type { ReachOptions } from './scenario.js';

/** Between two looks, at first. */
const LOOK_EVERY_MS = 20;
/** Later this share of the time waited so far: a wait of hours takes some hundred looks, and its end is seen soon enough. */
const LOOK_SHARE = 1 / 32;
/** While a timer tells that TIME-WAIT has longer than this to go. */
const TIME_WAIT_LOOK_MS = 250;

export interface Watched {
  readonly side: Side;
  readonly clock: Clock;
  sockets(): Promise<readonly SocketState[]>;
  /** Made before, so that no change is missed. Undefined: nothing tells. */
  readonly changes?: StateChanges | undefined;
}

/** Rejects with `WaitTimeout` after `withinMs`, naming the state that a connection was in. */
export async function reaching(
  { side, clock, sockets, changes }: Watched,
  states: TcpState | readonly TcpState[],
  options: ReachOptions = {},
): Promise<void> {
  const wanted = typeof states === 'string' ? [states] : states;
  const withinMs = options.withinMs ?? 10_000;
  const beginNs = clock.now();
  const deadlineNs = beginNs + withinMs * NANOS_PER_MS;
  for (;;) {
    const found = connectionsOf(await sockets(), options);
    const state = found[0]?.state ?? 'CLOSED';
    if (
      found.some((socket) => wanted.includes(socket.state)) ||
      (found.length === 0 && wanted.includes('CLOSED'))
    )
      return;
    const nowNs = clock.now();
    if (nowNs >= deadlineNs)
      throw new WaitTimeout(`${side} reaching ${wanted.join(' or ')}`, withinMs, `it is in ${state}`);
    if (changes !== undefined) await changes.next(Math.ceil(deadlineNs));
    else {
      const lookMs = nextLookMs(found, (nowNs - beginNs) / NANOS_PER_MS);
      await sleepUntil(clock, Math.min(deadlineNs, nowNs + lookMs * NANOS_PER_MS));
    }
  }
}

/** Until a whole nanosecond: clocks know no others. */
export const sleepUntil = (clock: Clock, atNs: Nanos): Promise<void> =>
  new Promise((resolve) => clock.at(Math.ceil(atNs), resolve));

function connectionsOf(sockets: readonly SocketState[], { local }: ReachOptions): readonly SocketState[] {
  return sockets.filter(
    (socket) =>
      socket.state !== 'LISTEN' &&
      (local === undefined || (socket.local.port === local.port && socket.local.ip === local.ip)),
  );
}

/** A running TIME-WAIT timer says how long nothing can change by itself; a segment may still end it early. */
function nextLookMs(sockets: readonly SocketState[], waitedMs: number): number {
  const grownMs = Math.max(LOOK_EVERY_MS, waitedMs * LOOK_SHARE);
  const remains = sockets.map((socket) => (socket.timer?.name === 'time-wait' ? socket.timer.remainsMs : 0));
  const soonestMs = Math.min(...remains, Number.POSITIVE_INFINITY);
  if (!Number.isFinite(soonestMs) || soonestMs <= 0) return grownMs;
  return Math.max(LOOK_EVERY_MS, Math.min(soonestMs, Math.max(grownMs, TIME_WAIT_LOOK_MS)));
}
