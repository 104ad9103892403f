/**
 * What is true of a control block after each event, whatever came: sequence variables in order, queues that fit together, bounded
 * memory, and a timer wherever something waits, so that no state is without a way out. Against a hostile peer too.
 */
import { type SeqNumber, seqAdd, seqDiff, seqGeq, seqLt } from '../../harness/segment/index.js';
import {
  type ControlBlock,
  effectiveMss,
  isSynchronized,
  type Nanos,
  NEVER,
  unsentOctets,
} from '../tcp/index.js';
import { demand } from './violation.js';

/** Pieces kept apart, and one that joins two. */
const MOST_EARLY = 64;
/** One segment of a path that takes what every path takes, beside the timestamps. */
const LEAST_WINDOW = 524;
/** What the ring begins with. */
const LEAST_RING = 2048;

export function checkBlock(block: ControlBlock, nowNs: Nanos): void {
  if (block.state === 'CLOSED') {
    demand(nextOf(block) === NEVER, () => 'a timer runs in CLOSED');
    return;
  }
  checkSendSide(block);
  checkScoreboard(block);
  if (block.state !== 'SYN-SENT' && block.state !== 'LISTEN') checkReceiveSide(block);
  checkMemory(block);
  checkWayOut(block, nowNs);
}

function checkSendSide(block: ControlBlock): void {
  const { sndUna, sndNxt, sendBase, sendOctets, iss, congestion } = block;
  demand(seqDiff(sndNxt, sndUna) >= 0, () => `SND.NXT ${sndNxt} is before SND.UNA ${sndUna}`);
  const end = seqAdd(sendBase, sendOctets);
  demand(sendOctets >= 0, () => `${sendOctets} octets are queued`);
  // The FIN takes the number behind the last octet.
  const most = block.isClosing ? 1 : 0;
  if (block.state !== 'LISTEN')
    demand(
      seqDiff(sndNxt, end) <= most,
      () => `SND.NXT ${sndNxt} is beyond what there is to send, which ends at ${end}`,
    );
  const first = seqAdd(iss, 1);
  const base = seqLt(sndUna, first) && seqDiff(first, sndUna) === 1 ? first : sndUna;
  const fin = seqDiff(base, end) === 1 ? 1 : 0;
  demand(
    seqDiff(base, sendBase) === fin,
    () => `the queue begins at ${sendBase}, and SND.UNA is ${sndUna}, ISS ${iss}`,
  );
  // A window of one segment stays as it is when the path's MTU is raised; in fast recovery it follows what is under way (RFC 9937).
  demand(
    block.recovery.kind === 'fast' || congestion.cwnd >= Math.min(effectiveMss(block), LEAST_WINDOW),
    () => `cwnd is ${congestion.cwnd} octets`,
  );
  demand(Number.isFinite(congestion.cwnd), () => 'cwnd is no number');
  demand(!Number.isNaN(congestion.ssthresh) && congestion.ssthresh > 0, () => 'ssthresh is no threshold');
  demand(block.rtt.rtoNs > 0 && Number.isFinite(block.rtt.rtoNs), () => `the RTO is ${block.rtt.rtoNs} ns`);
  demand(block.sndWnd >= 0 && block.sndWnd <= 0x3fffc000, () => `SND.WND is ${block.sndWnd}`);
}

/** Records lie one behind the other from SND.UNA to SND.NXT, and those that are marked are as many as is believed. */
function checkScoreboard({ sent, sndUna, sndNxt, recovery }: ControlBlock): void {
  let at: SeqNumber = sndUna;
  let marked = 0;
  for (let i = 0; i < sent.count; i += 1) {
    const record = sent.at(i);
    demand(record !== undefined, () => `there is no record ${i} of ${sent.count}`);
    const { seq, length, isSacked, isLost, isSyn, isFin } = record;
    demand(seq === at, () => `record ${i} begins at ${seq}, not at ${at}`);
    demand(length > 0, () => `record ${i} is ${length} long`);
    demand(!(isSacked && isLost), () => `record ${i} has arrived and is lost`);
    demand(!isSyn || i === 0, () => `a SYN is record ${i}`);
    demand(!isFin || i === sent.count - 1, () => `a FIN is record ${i} of ${sent.count}`);
    if (isSacked || isLost) marked += 1;
    at = seqAdd(at, length);
  }
  demand(at === sndNxt, () => `the records end at ${at}, and SND.NXT is ${sndNxt}`);
  demand(marked === recovery.marked, () => `${marked} records are marked, not ${recovery.marked}`);
  demand(recovery.inflation >= 0, () => `the window is inflated by ${recovery.inflation}`);
}

function checkReceiveSide(block: ControlBlock): void {
  const { rcvNxt, rcvEdge, early, earlyFin, receiveOctets } = block;
  demand(seqDiff(rcvEdge, rcvNxt) >= 0, () => `RCV.NXT ${rcvNxt} is beyond the edge ${rcvEdge}`);
  demand(receiveOctets >= 0, () => `${receiveOctets} octets can be received`);
  let at = rcvNxt;
  for (const { left, right } of early) {
    demand(seqLt(at, left), () => `the early block ${left} to ${right} touches what ends at ${at}`);
    demand(seqLt(left, right), () => `the early block ${left} to ${right} is empty`);
    at = right;
  }
  demand(seqGeq(rcvEdge, at), () => `what came early ends at ${at}, beyond the edge ${rcvEdge}`);
  if (earlyFin !== undefined)
    demand(seqLt(earlyFin, rcvEdge), () => `a FIN at ${earlyFin} waits beyond the edge ${rcvEdge}`);
  demand(block.ackOwed !== 'now', () => 'an ACK that is owed at once was not sent');
}

/** All that a connection holds has a bound that its settings give. */
function checkMemory(block: ControlBlock): void {
  const { settings, sendRing, receiveRing, early, recentBlocks, sent } = block;
  demand(
    block.receiveOctets <= settings.receiveBufferOctets,
    () => `${block.receiveOctets} octets wait in a buffer of ${settings.receiveBufferOctets}`,
  );
  const wide = (octets: number): number => Math.max(2 ** Math.ceil(Math.log2(octets + 1)), LEAST_RING);
  demand(
    receiveRing.capacity <= wide(settings.receiveBufferOctets),
    () => `the receive ring takes ${receiveRing.capacity} octets`,
  );
  demand(
    sendRing.capacity <= wide(settings.sendBufferOctets),
    () => `the send ring takes ${sendRing.capacity} octets`,
  );
  demand(block.sendOctets <= settings.sendBufferOctets, () => `${block.sendOctets} octets are queued`);
  demand(early.length <= MOST_EARLY, () => `${early.length} early blocks are kept`);
  demand(recentBlocks.length <= 8, () => `${recentBlocks.length} blocks are remembered`);
  demand(sent.count <= block.sendOctets + 2, () => `${sent.count} records for ${block.sendOctets} octets`);
}

const TIMERS = [
  'retransmit',
  'persist',
  'delayedAck',
  'keepAlive',
  'linger',
  'reorder',
  'tailLossProbe',
  'userTimeout',
  'mtuRaise',
] as const;

const nextOf = ({ timers }: ControlBlock): Nanos => Math.min(...TIMERS.map((name) => timers[name]));

/** Whoever has something under way, or waits for something that only time may bring, has a timer that runs. */
function checkWayOut(block: ControlBlock, nowNs: Nanos): void {
  const { timers, state, sent } = block;
  for (const name of TIMERS)
    demand(
      timers[name] >= nowNs,
      () => `the timer ${name} should have run out ${nowNs - timers[name]} ns ago`,
    );
  if (sent.count > 0)
    demand(timers.retransmit !== NEVER, () => `${sent.count} segments are under way, and no timer runs`);
  if (block.ackOwed === 'delayed')
    demand(timers.delayedAck !== NEVER, () => 'an ACK is delayed, and no timer runs');
  if (state === 'TIME-WAIT') {
    demand(timers.linger !== NEVER, () => 'TIME-WAIT has no timer');
    for (const name of TIMERS)
      demand(name === 'linger' || timers[name] === NEVER, () => `the timer ${name} runs in TIME-WAIT`);
  }
  if (state === 'FIN-WAIT-2' && !block.isHeld)
    demand(timers.linger !== NEVER, () => 'nobody waits in FIN-WAIT-2, which has no end');
  const isFinUnsent = block.isClosing && seqDiff(block.sndNxt, seqAdd(block.sendBase, block.sendOctets)) <= 0;
  const wants = unsentOctets(block) > 0 || isFinUnsent;
  if (isSynchronized(state) && state !== 'TIME-WAIT' && wants)
    demand(
      sent.count > 0 || timers.persist !== NEVER,
      () => `${unsentOctets(block)} octets wait, nothing is under way, and no timer runs`,
    );
}

/** What may only grow. */
export class BlockHistory {
  #edge: SeqNumber | undefined;
  #una: SeqNumber | undefined;
  #nxt: SeqNumber | undefined;
  #rcvNxt: SeqNumber | undefined;

  check(block: ControlBlock): void {
    const { state, rcvEdge, rcvNxt, sndUna, sndNxt } = block;
    if (state === 'CLOSED' || state === 'LISTEN' || state === 'SYN-SENT') return;
    this.#edge = onward('the edge of the window', this.#edge, rcvEdge);
    this.#rcvNxt = onward('RCV.NXT', this.#rcvNxt, rcvNxt);
    this.#una = onward('SND.UNA', this.#una, sndUna);
    this.#nxt = onward('SND.NXT', this.#nxt, sndNxt);
  }
}

function onward(what: string, before: SeqNumber | undefined, after: SeqNumber): SeqNumber {
  demand(
    before === undefined || seqGeq(after, before),
    () => `${what} moved back from ${before} to ${after}`,
  );
  return after;
}
