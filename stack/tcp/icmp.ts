/** What ICMP tells of a connection (RFC 9293 section 3.9.2.2, RFC 5927). The host has read the message, and found the connection by what it quotes. */
import { type SeqNumber, seqGeq, seqLt } from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import { failed } from './end.js';
import { lowerMtu } from './path-mtu.js';
import { resendTooBig } from './recovery.js';
import { isSynchronized } from './state.js';
import type { Step, TcpError } from './step.js';
import { watchPatience } from './timers.js';
import { transmit } from './transmit.js';

export type IcmpNews =
  /** Fragmentation needed and DF set, or Packet Too Big. */
  | { readonly kind: 'too-big'; readonly seq: SeqNumber; readonly mtu: number }
  /** Net or host unreachable, time exceeded, parameter problem: it may pass. */
  | { readonly kind: 'soft'; readonly seq: SeqNumber; readonly error: TcpError }
  /** Protocol or port unreachable. */
  | { readonly kind: 'hard'; readonly seq: SeqNumber; readonly error: TcpError };

export function icmpArrives(block: ControlBlock, step: Step, news: IcmpNews): void {
  // RFC 5927 section 4.1: it must quote something that is under way.
  const { seq } = news;
  if (!seqGeq(seq, block.sndUna) || !seqLt(seq, block.sndNxt)) return;
  switch (news.kind) {
    case 'too-big':
      if (!lowerMtu(block, news.mtu, step.nowNs)) return;
      resendTooBig(block);
      transmit(block, step);
      watchPatience(block, step.nowNs);
      return;
    case 'hard':
      if (!isSynchronized(block.state) || block.settings.hardErrorsAbort === 'always') {
        failed(block, step, news.error);
        return;
      }
      softened(block, step, news.error);
      return;
    case 'soft':
      // MUST-56: "since these are soft errors, TCP MUST NOT abort the connection".
      softened(block, step, news.error);
  }
}

/** SHLD-25: the program is told, and a time-out that follows is explained by it. */
function softened(block: ControlBlock, step: Step, error: TcpError): void {
  block.softError = error;
  step.notices.push({ kind: 'soft-error', error });
}
