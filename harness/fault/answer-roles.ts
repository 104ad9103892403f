/** Which segments are the handshake ACK, the ACK of the first FIN and the final ACK, and for which time. */
import type { Answer, HalfFlow } from './flow-state.js';
import type { Scene } from './scene.js';
import { oneMore, type Sent } from './sent-ranges.js';

/** How often the octets of the segment were sent, its FIN, and (a pure ACK) the same ACK. */
interface Counts {
  readonly occupied: Sent | undefined;
  readonly fin: Sent | undefined;
  readonly again: Sent | undefined;
}

type AnswerRole = 'handshake-ack' | 'active-fin-ack' | 'final-ack';

/** The acknowledgment of the SYN,ACK and of the FIN. */
export function countAnswers(scene: Scene, counts: Counts): { role: AnswerRole; sent: Sent }[] {
  const { sender, other, ackAt } = scene;
  const found: { role: AnswerRole; sent: Sent }[] = [];
  if (ackAt === undefined) return found;
  if (sender.syn !== undefined && other.synAck !== undefined && ackAt > 0) {
    const sent = countAnswer(sender.handshakeAck, scene, counts);
    if (sent !== undefined) found.push({ role: 'handshake-ack', sent });
  }
  if (other.fin !== undefined && ackAt > other.fin.position) {
    sender.finAck.role ??= finAckRole(sender, other);
    const role = sender.finAck.role;
    const sent = countAnswer(sender.finAck, scene, counts, role === 'final-ack');
    if (sent !== undefined) found.push({ role, sent });
  }
  return found;
}

/** Of two active FINs (a simultaneous close) the one that is acknowledged last has the final ACK. */
function finAckRole(sender: HalfFlow, other: HalfFlow): 'active-fin-ack' | 'final-ack' {
  if (other.fin?.role === 'passive-fin') return 'final-ack';
  return other.finAck.sent !== undefined && sender.fin?.role === 'active-fin'
    ? 'final-ack'
    : 'active-fin-ack';
}

/**
 * The first is the answer. Later: its retransmission, where it occupies sequence numbers; a pure ACK, while more was asked
 * than answered (in answer to a retransmission). Behind the last FIN there is nothing else to say: `always`.
 */
function countAnswer(answer: Answer, { id }: Scene, counts: Counts, always = false): Sent | undefined {
  const { occupied, fin, again } = counts;
  const first = answer.sent?.original;
  const isRepeat = first !== undefined && (occupied?.original === first || fin?.original === first);
  const isOwed = answer.answers < answer.questions;
  // Two at once may be answered by one: what is still owed is then paid only by an ACK that says the same again.
  const isAnswer = again !== undefined && isOwed && (answer.isAsked || again.copy > 1);
  if (first !== undefined && !always && !isRepeat && !isAnswer) return undefined;
  if (!isRepeat) {
    answer.answers += 1;
    answer.isAsked = false;
  }
  answer.sent = oneMore(answer.sent, id);
  return answer.sent;
}
