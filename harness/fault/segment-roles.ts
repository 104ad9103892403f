/**
 * Which part a segment plays in its connection, and for which time. The rules look at what came before on the wire
 * and at what had been delivered to the sender; they then count the segment in.
 */
import { FLAG, hasFlags, type Segment, segLen } from '../segment/index.js';
import { countAnswers } from './answer-roles.js';
import { type FlowFacts, otherSide, type RolePart, type Side } from './flow.js';
import { type Flow, type HalfFlow, noAnswer, positionOf, startAtSyn, windowOctets } from './flow-state.js';
import type { Scene } from './scene.js';
import { countSent, forgetOld, oneMore, type Sent } from './sent-ranges.js';

/** Says what the segment is, and counts it in. */
export function factsOf(
  flow: Flow,
  { id, from, segment }: { readonly id: number; readonly from: Side; readonly segment: Segment },
): FlowFacts {
  const sender = flow[from];
  const other = flow[otherSide(from)];
  const isSyn = hasFlags(segment, FLAG.SYN);
  if (isSyn) beginAtSyn(sender, other, segment);
  else sender.base ??= segment.seq;
  const at = positionOf(sender, segment.seq);
  const ackAt =
    hasFlags(segment, FLAG.ACK) && other.base !== undefined ? positionOf(other, segment.ack) : undefined;
  const len = segLen(segment);
  const { whole, parts } = partsOf({ id, segment, sender, other, at, ackAt });
  // A RST's number is one that the other side expects, and need not be one that its sender reached.
  if (!hasFlags(segment, FLAG.RST)) sender.next = Math.max(sender.next, at + len);
  return {
    flow: flow.number,
    from,
    roles: parts.map((part) => part.role),
    copy: whole.copy,
    original: whole.original,
    ...(parts.some((part) => part.copy !== whole.copy || part.original !== whole.original) && { parts }),
    relSeq: sender.iss === undefined ? undefined : at,
    relAck: other.iss === undefined ? undefined : ackAt,
    len,
    windowOctets: windowOctets(segment, sender, other, isSyn),
  };
}

/** A second SYN,ACK with another number (its sender forgot the first) asks for another handshake ACK. */
function beginAtSyn(sender: HalfFlow, other: HalfFlow, segment: Segment): void {
  if (sender.iss !== undefined && sender.iss !== segment.seq) other.handshakeAck = noAnswer();
  startAtSyn(sender, segment);
}

/** The roles with their counts, and the count of the segment as a whole: that of the first octet it occupies, if any. */
function partsOf(scene: Scene): { whole: Sent; parts: RolePart[] } {
  const { segment, id } = scene;
  const parts: RolePart[] = [];
  const add = (role: RolePart['role'], { copy, original }: Sent) => parts.push({ role, copy, original });
  if (hasFlags(segment, FLAG.RST)) {
    const rst = countRst(scene);
    add('rst', rst);
    return { whole: rst, parts };
  }
  const probe = countProbe(scene);
  if (probe?.role === 'keep-alive') {
    add(probe.role, probe.sent);
    return { whole: probe.sent, parts };
  }
  const syn = countSyn(scene);
  const fin = countFin(scene);
  const data = countData(scene);
  if (syn !== undefined) add(hasFlags(segment, FLAG.ACK) ? 'syn-ack' : 'syn', syn);
  if (fin !== undefined) add(fin.role, fin);
  const occupied = syn ?? data ?? fin;
  if (probe !== undefined) add(probe.role, data ?? probe.sent);
  const isPureAck = segment.flags & FLAG.ACK && occupied === undefined && probe === undefined;
  const again = isPureAck ? countPureAck(scene) : undefined;
  const answers =
    syn === undefined && probe === undefined ? countAnswers(scene, { occupied, fin, again }) : [];
  for (const { role, sent } of answers) add(role, sent);
  if (data !== undefined) add('data', data);
  // What answers a SYN,ACK or FIN once more is counted by that, whatever its window says.
  const pureAck = answers.at(-1)?.sent ?? again;
  if (isPureAck && pureAck !== undefined) add('pure-ack', pureAck);
  return { whole: occupied ?? probe?.sent ?? pureAck ?? { copy: 1, original: id }, parts };
}

function countRst({ segment: { seq }, sender, id }: Scene): Sent {
  const sent = oneMore(sender.rst?.seq === seq ? sender.rst : undefined, id);
  sender.rst = { ...sent, seq };
  return sent;
}

function countSyn({ segment, sender, id }: Scene): Sent | undefined {
  if (!hasFlags(segment, FLAG.SYN)) return undefined;
  const kind = hasFlags(segment, FLAG.ACK) ? 'synAck' : 'syn';
  const sent = oneMore(sender[kind], id);
  sender[kind] = sent;
  return sent;
}

function countData({ segment, sender, at, id }: Scene): Sent | undefined {
  const length = segment.payload.length;
  if (length === 0) return undefined;
  const from = hasFlags(segment, FLAG.SYN) ? at + 1 : at;
  forgetOld(sender.data, sender.acknowledged);
  return countSent(sender.data, from, from + length, id);
}

/** A FIN keeps the role of its first transmission, whatever its sender has been given since. */
function countFin({ segment, sender, other, at, ackAt, id }: Scene): HalfFlow['fin'] {
  if (!hasFlags(segment, FLAG.FIN)) return undefined;
  const position = at + segLen(segment) - 1;
  if (sender.fin?.position === position) {
    Object.assign(sender.fin, oneMore(sender.fin, id));
    return sender.fin;
  }
  const wasGivenFin = other.fin !== undefined && (other.fin.isDelivered || (ackAt ?? 0) > other.fin.position);
  const role = wasGivenFin ? 'passive-fin' : 'active-fin';
  sender.fin = { position, role, isDelivered: false, ...oneMore(undefined, id) };
  return sender.fin;
}

/**
 * RFC 9293 section 3.8.4: a keep-alive is SND.NXT-1 with no or one octet, nothing being outstanding. With a window of 0
 * the same segment is a window probe (Linux, tcp_write_wakeup), as is one octet beyond that window (section 3.8.6.1).
 */
function countProbe(scene: Scene): { role: 'keep-alive' | 'window-probe'; sent: Sent } | undefined {
  const { segment, sender, at, id } = scene;
  const length = segment.payload.length;
  if (length > 1 || (segment.flags & (FLAG.SYN | FLAG.FIN | FLAG.RST | FLAG.ACK)) !== FLAG.ACK)
    return undefined;
  const isClosed = sender.windowGiven === 0;
  const isOld = at === sender.next - 1 && sender.acknowledged === sender.next;
  const isBeyond = isClosed && length === 1 && at === sender.acknowledged;
  if (!isOld && !isBeyond) return undefined;
  const { seq } = segment;
  const sent = oneMore(sender.probe?.seq === seq ? sender.probe : undefined, id);
  sender.probe = { ...sent, seq };
  return { role: isClosed ? 'window-probe' : 'keep-alive', sent };
}

function countPureAck({ segment, sender, id }: Scene): Sent {
  const { seq, ack, window } = segment;
  const last = sender.pureAck;
  const isSame = last !== undefined && last.seq === seq && last.ack === ack && last.window === window;
  const sent = oneMore(isSame ? last : undefined, id);
  sender.pureAck = { ...sent, seq, ack, window };
  return sent;
}
