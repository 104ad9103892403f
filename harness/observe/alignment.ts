/**
 * How well the observers' stamps agree with `process.hrtime`, measured. Looks are stamped by hrtime itself. Tracepoints
 * bear `trace_clock` mono, a lock-free reading of the same CLOCK_MONOTONIC that may differ a little: changes of state
 * that calls of our own cause must lie between the call's begin and its end.
 */
import {
  AF_INET,
  check,
  encodeSockaddr,
  libc,
  monotonicNs,
  SOCK_CLOEXEC,
  SOCK_STREAM,
} from '../sys/index.js';
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

/** Makes sockets listen, closes them, and compares. Takes a few milliseconds; needs no network. */
export function measureTracepointAlignment(session: TracepointSession, samples = 32): TransitionAlignment {
  const epochNs = monotonicNs();
  // A wildcard listener has no address that would tell whose it is: the port does, and the nearest event in time.
  using tap = session.tap({ epochNs, sideOf: (_, remote) => (remote.port === 0 ? 'client' : undefined) });
  const calls: { readonly port: number; readonly beforeNs: number; readonly afterNs: number }[] = [];
  for (let i = 0; i < samples; i += 1) calls.push(listenOnce(epochNs));
  const listens = tap.flush().filter(({ change }) => change?.to === 'LISTEN');
  // The offset of the trace clock lies in every [stamp - after, stamp - before].
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  let worstViolationNs = 0;
  let matched = 0;
  for (const { port, beforeNs, afterNs } of calls) {
    const event = listens.find(({ local, atNs }) => local.port === port && Math.abs(atNs - beforeNs) < 1e7);
    if (event === undefined) continue;
    matched += 1;
    least = Math.max(least, event.atNs - afterNs);
    most = Math.min(most, event.atNs - beforeNs);
    worstViolationNs = Math.max(worstViolationNs, beforeNs - event.atNs, event.atNs - afterNs);
  }
  if (matched === 0)
    throw new Error('the tracepoints showed none of our own changes of state: use sock_diag as the eye');
  const errorNs = Math.max(Math.abs(least), Math.abs(most), worstViolationNs);
  return { errorNs, worstViolationNs, samples: matched };
}

function listenOnce(epochNs: bigint): { port: number; beforeNs: number; afterNs: number } {
  const fd = check(libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    const any = encodeSockaddr({ ip: '0.0.0.0', port: 0 });
    check(libc.bind(fd, any, any.length), 'bind');
    const beforeNs = Number(monotonicNs() - epochNs);
    check(libc.listen(fd, 1), 'listen');
    const afterNs = Number(monotonicNs() - epochNs);
    const address = new Uint8Array(16);
    check(libc.getsockname(fd, address, Uint8Array.of(16, 0, 0, 0)), 'getsockname');
    return { port: new DataView(address.buffer).getUint16(2), beforeNs, afterNs };
  } finally {
    libc.close(fd);
  }
}
