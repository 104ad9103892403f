/** The tracepoints' changes of state, sorted into one chain for each full socket. */
import type { Nanos } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { pairKey } from './sighting.js';
import type { Pair } from './sock-diag.js';
import type { TracepointEvent } from './tracepoint-event.js';

export interface StateChange {
  readonly atNs: Nanos;
  readonly from: TcpState;
  readonly to: TcpState;
}

export interface StateChain extends Pair {
  readonly side: Side;
  /** At least one. */
  readonly changes: readonly StateChange[];
  /** When the kernel let go of the full socket, once it has (tcp_destroy_sock). */
  readonly destroyedNs?: Nanos;
  /** All that it was made of. */
  readonly events: readonly TracepointEvent[];
}

export function chainsOf(events: readonly TracepointEvent[]): StateChain[] {
  const all: TracepointEvent[][] = [];
  const open = new Map<number, TracepointEvent[]>();
  for (const event of events) {
    const isOfChain = isChange(event) || event.name === 'tcp_destroy_sock';
    if (!isOfChain) continue;
    const known = open.get(event.socket);
    // The kernel uses the memory of a freed socket again: a beginning is another socket's.
    if (known !== undefined && !isBeginning(event)) known.push(event);
    else if (event.change !== undefined) {
      const begun = [event];
      open.set(event.socket, begun);
      all.push(begun);
    }
  }
  return withoutTwins(all.flatMap(chainOf));
}

/**
 * Two segments that meet one request (the handshake ACK, and data right behind it that was queued meanwhile) each make a socket of it. The
 * kernel keeps one and closes the other at once (inet_csk_complete_hashdance): that one was never the connection.
 */
function withoutTwins(chains: readonly StateChain[]): StateChain[] {
  const isTwin = (chain: StateChain): boolean => {
    const [first, second, ...more] = chain.changes;
    if (first?.from !== 'LISTEN' || second?.from !== 'SYN-RECEIVED' || second.to !== 'CLOSED') return false;
    if (more.length > 0) return false;
    const key = pairKey(chain.side, chain);
    return chains.some(
      (other) =>
        other !== chain &&
        other.changes[0]?.from === 'LISTEN' &&
        pairKey(other.side, other) === key &&
        startOf(other) <= second.atNs &&
        (closeOf(other)?.atNs ?? Number.POSITIVE_INFINITY) > second.atNs,
    );
  };
  return chains.filter((chain) => !isTwin(chain));
}

/** A close in CLOSING or LAST-ACK sets that state again (tcp_close_state in net/ipv4/tcp.c). */
const isChange = ({ change }: TracepointEvent): boolean => change !== undefined && change.from !== change.to;

const isBeginning = ({ change }: TracepointEvent): boolean =>
  change?.from === 'CLOSED' || (change?.from === 'LISTEN' && change.to === 'SYN-RECEIVED');

/**
 * The first event of an active opening bears no local port when the kernel is yet to pick one, and that of a passive one no remote
 * port: a later event has it.
 */
function chainOf(events: readonly TracepointEvent[]): StateChain[] {
  const [first] = events;
  if (first === undefined) return [];
  const named = events.find((event) => event.local.port !== 0 && event.remote.port !== 0);
  const { side, local, remote } = named ?? events.find((event) => event.local.port !== 0) ?? first;
  const changes = events.flatMap(({ atNs, change }) => (change === undefined ? [] : [{ atNs, ...change }]));
  const destroyed = events.find(({ name }) => name === 'tcp_destroy_sock');
  return [{ side, local, remote, changes, events, ...(destroyed && { destroyedNs: destroyed.atNs }) }];
}

export const startOf = (chain: StateChain): Nanos => chain.changes[0]?.atNs ?? 0;

/** The change to CLOSED that ends the full socket, once it has happened. */
export const closeOf = ({ changes }: StateChain): StateChange | undefined => {
  const last = changes.at(-1);
  return last?.to === 'CLOSED' ? last : undefined;
};
