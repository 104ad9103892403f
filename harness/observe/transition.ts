/** A change of state of one socket, who saw it, and how sure that is. */
import type { Nanos } from '../clock/index.js';
import type { Address, TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';

/** - `tracepoint`: sock:inet_sock_set_state and its kin; `sock_diag`: a snapshot over netlink; `destroy`: a netlink destroy
 *  notification; `tcp_info`: TCP_INFO of an open socket; `report`: the stack itself, which tells each change as it makes it;
 *  `agent`: an agent's report. */
export type Eye = 'tracepoint' | 'sock_diag' | 'destroy' | 'tcp_info' | 'report' | 'agent';

/**
 * - `exact`: the transition itself was seen, at this instant.
 * - `bounded`: two looks differ; it happened after `notBeforeNs` and by `atNs`. States that lasted less than that may be missing.
 * - `inferred`: follows from what was seen (a socket that is gone is CLOSED), not seen itself.
 */
export type Certainty = 'exact' | 'bounded' | 'inferred';

export interface TransitionRecord {
  readonly kind: 'transition';
  readonly atNs: Nanos;
  /** For `bounded` and `inferred`: the last look that still showed `from`. */
  readonly notBeforeNs?: Nanos;
  readonly side: Side;
  readonly local: Address;
  readonly remote: Address;
  readonly from: TcpState;
  readonly to: TcpState;
  readonly eye: Eye;
  readonly certainty: Certainty;
}

/** Something a tracepoint or the kernel said that explains a segment or a transition. */
export interface NoteRecord {
  readonly kind: 'note';
  readonly atNs: Nanos;
  readonly side: Side;
  readonly local: Address;
  readonly remote: Address;
  /** The tracepoint's name, such as `tcp_retransmit_skb`, or `sock_diag` for a timer. */
  readonly what: string;
  readonly detail: Readonly<Record<string, string | number>>;
  readonly eye: Eye;
}
