/**
 * The states that a connection must have passed between two looks: the forward edges of RFC 9293 figure 5 and of the
 * order in which section 3.10.7.4 handles a segment. Resets and aborts are no edges here: a socket that is gone went
 * straight to CLOSED as far as looks can tell.
 */
import type { TcpState } from '../endpoint/index.js';

/**
 * Where two edges lead on, the likelier first. FIN-WAIT-1 to TIME-WAIT goes by FIN-WAIT-2, since the ACK of a segment is
 * handled before its FIN; by CLOSING only when that was seen. SYN-RECEIVED goes by ESTABLISHED, since Linux lets nobody
 * close a connection that it has not yet handed out.
 */
const FORWARD: Readonly<Record<TcpState, readonly TcpState[]>> = {
  CLOSED: ['SYN-SENT', 'LISTEN'],
  LISTEN: ['SYN-RECEIVED'],
  'SYN-SENT': ['ESTABLISHED', 'SYN-RECEIVED'],
  'SYN-RECEIVED': ['ESTABLISHED'],
  ESTABLISHED: ['FIN-WAIT-1', 'CLOSE-WAIT'],
  'FIN-WAIT-1': ['FIN-WAIT-2', 'CLOSING'],
  'FIN-WAIT-2': ['TIME-WAIT'],
  'CLOSE-WAIT': ['LAST-ACK'],
  CLOSING: ['TIME-WAIT'],
  'LAST-ACK': [],
  'TIME-WAIT': [],
};

/** The shortest way from a state to another, without the first and with the last; just the last where none is known. */
export function inferredPath(from: TcpState, to: TcpState): readonly TcpState[] {
  let paths: TcpState[][] = [[from]];
  const seen = new Set<TcpState>([from]);
  while (paths.length > 0) {
    const longer: TcpState[][] = [];
    for (const path of paths) {
      for (const next of FORWARD[path.at(-1) ?? from]) {
        if (next === to) return [...path.slice(1), next];
        if (seen.has(next)) continue;
        seen.add(next);
        longer.push([...path, next]);
      }
    }
    paths = longer;
  }
  return [to];
}
