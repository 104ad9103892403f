/** What one event brings about: the segments that leave, and what the program is told. */
import type { Segment, SeqNumber } from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import type { TcpState } from './state.js';
import type { Nanos } from './time.js';

/** Why a connection ended before its time, by the names that programs know. */
export type TcpError =
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'ECONNABORTED'
  | 'ETIMEDOUT'
  | 'EHOSTUNREACH'
  | 'ENETUNREACH'
  | 'EPROTO';

export type Notice =
  | { readonly kind: 'state'; readonly from: TcpState; readonly to: TcpState }
  | { readonly kind: 'established' }
  | { readonly kind: 'readable' }
  | { readonly kind: 'writable' }
  /** The other side sends no more: its FIN came, in order. */
  | { readonly kind: 'end' }
  | { readonly kind: 'urgent' }
  /** R1 of RFC 9293 section 3.8.3: what was sent is not acknowledged, again and again; IP may look for another way. */
  | { readonly kind: 'troubled'; readonly retries: number }
  /** ICMP told of trouble that may pass (section 3.9.1.8). */
  | { readonly kind: 'soft-error'; readonly error: TcpError }
  /** TIME-WAIT was started anew. */
  | { readonly kind: 'lingers' }
  | { readonly kind: 'failed'; readonly error: TcpError }
  /** A SYN came for a connection in TIME-WAIT and may open another in its place, which begins above `sndNxt` (RFC 6191, RFC 9293 MAY-2). */
  | { readonly kind: 'reincarnation'; readonly sndNxt: SeqNumber };

export interface Step {
  readonly nowNs: Nanos;
  /** Their payload may lie in the control block's memory: it holds until the block's next event. */
  readonly segments: Segment[];
  readonly notices: Notice[];
}

export const newStep = (nowNs: Nanos): Step => ({ nowNs, segments: [], notices: [] });

export function enter(block: ControlBlock, step: Step, to: TcpState): void {
  const from = block.state;
  if (from === to) return;
  block.state = to;
  step.notices.push({ kind: 'state', from, to });
}
