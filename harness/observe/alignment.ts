/**
 * How well the observers' stamps agree with `process.hrtime`, measured. Looks are stamped by hrtime itself. Tracepoints
 * bear `trace_clock` mono, a lock-free reading of the same CLOCK_MONOTONIC that may differ a little: changes of state
 * that calls of our own cause must lie between the call's begin and its end.
 */
import type { Nanos } from '../clock/index.js';
import {
  AF_INET,
  check,
  decodeSockaddr,
  encodeSockaddr,
  libc,
  monotonicNs,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../sys/index.js';
import type { TracepointEvent } from './tracepoint-event.js';
import type { TracepointSession } from './tracepoints.js';

export interface TransitionAlignment {
  /** No stamp of a transition is further than this from hrtime, as far as measured. */
  readonly errorNs: number;
  /** How far the worst stamp lay outside of its call; 0: none did. */
  readonly worstViolationNs: number;
  readonly samples: number;
}

/** Looks bear hrtime's own stamps: there is nothing between. */
export const SOCK_DIAG_ALIGNMENT: TransitionAlignment = { errorNs: 0, worstViolationNs: 0, samples: 0 };

interface TimedCall {
  readonly fd: number;
  readonly port: number;
  readonly beforeNs: Nanos;
  readonly afterNs: Nanos;
}

/** Makes sockets listen and compares. Takes a few milliseconds; needs no network. */
export function measureTracepointAlignment(session: TracepointSession, samples = 32): TransitionAlignment {
  const epochNs = monotonicNs();
  // A wildcard listener has no address that would tell whose it is: its port does, while all of them are open.
  const tap = session.tap({ epochNs, sideOf: (_, remote) => (remote.port === 0 ? 'client' : undefined) });
  const calls: TimedCall[] = [];
  try {
    for (let i = 0; i < samples; i += 1) calls.push(listenAnywhere(epochNs));
    const listens = tap.flush().filter(({ change }) => change?.to === 'LISTEN');
    return compare(calls, (call) => nearest(call, listens));
  } finally {
    for (const { fd } of calls) libc.close(fd);
    tap[Symbol.dispose]();
  }
}

/** Sockets of other namespaces may have the same port: the nearest in time is ours. */
function nearest({ port, beforeNs }: TimedCall, events: readonly TracepointEvent[]): Nanos | undefined {
  const stamps = events.filter(({ local }) => local.port === port).map(({ atNs }) => atNs);
  return stamps.sort((a, b) => Math.abs(a - beforeNs) - Math.abs(b - beforeNs))[0];
}

/** The offset of the trace clock lies in every [stamp - after, stamp - before]. */
function compare(
  calls: readonly TimedCall[],
  stampOf: (call: TimedCall) => Nanos | undefined,
): TransitionAlignment {
  let leastNs = Number.NEGATIVE_INFINITY;
  let mostNs = Number.POSITIVE_INFINITY;
  let worstViolationNs = 0;
  let samples = 0;
  for (const call of calls) {
    const stampNs = stampOf(call);
    if (stampNs === undefined) continue;
    samples += 1;
    leastNs = Math.max(leastNs, stampNs - call.afterNs);
    mostNs = Math.min(mostNs, stampNs - call.beforeNs);
    worstViolationNs = Math.max(worstViolationNs, call.beforeNs - stampNs, stampNs - call.afterNs);
  }
  if (samples === 0)
    throw new Error('the tracepoints showed none of our own changes of state: use sock_diag as the eye');
  const errorNs = Math.max(Math.abs(leastNs), Math.abs(mostNs), worstViolationNs);
  return { errorNs, worstViolationNs, samples };
}

function listenAnywhere(epochNs: bigint): TimedCall {
  const fd = check(libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    const address = encodeSockaddr({ ip: '0.0.0.0', port: 0 });
    check(libc.bind(fd, address, address.length), 'bind');
    const beforeNs = Number(monotonicNs() - epochNs);
    check(libc.listen(fd, 1), 'listen');
    const afterNs = Number(monotonicNs() - epochNs);
    check(libc.getsockname(fd, address, Uint8Array.of(address.length, 0, 0, 0)), 'getsockname');
    return { fd, port: decodeSockaddr(address).port, beforeNs, afterNs };
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}
