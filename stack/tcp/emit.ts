/** Segments that leave: their fields, and what sending them settles. */
import {
  FLAG,
  type Flags,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqDiff,
  type TcpOption,
} from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import { ipv4Header, ipv6Header } from './ip-headers.js';
import { synOptions, timestampOptions, usualOptions } from './options.js';
import { offerWindow } from './receive-window.js';
import { isSynchronized } from './state.js';
import type { Step } from './step.js';
import { NEVER } from './time.js';

const NOTHING = new Uint8Array(0);

export interface Outgoing {
  readonly seq: SeqNumber;
  readonly flags: Flags;
  readonly payload?: Uint8Array;
  readonly options?: readonly TcpOption[];
  /** New data, which a router may mark (RFC 3168 sections 6.1.4 and 6.1.5: no pure ACK, nothing that is sent again). */
  readonly isMarkable?: boolean;
}

export function emit(block: ControlBlock, step: Step, outgoing: Outgoing): void {
  const { seq, payload = NOTHING, isMarkable = false } = outgoing;
  let { flags } = outgoing;
  const isSyn = (flags & FLAG.SYN) !== 0;
  const options = outgoing.options ?? usualOptions(block, step.nowNs);
  let urgentPointer = 0;
  if (block.isUrgent && !isSyn && (payload.length > 0 || seq === block.sndNxt)) {
    // RFC 9293 section 3.8.5, RFC 6093 section 4: it points behind the last urgent octet.
    const ahead = seqDiff(block.sndUp, seq);
    if (ahead > 0) {
      flags |= FLAG.URG;
      urgentPointer = Math.min(ahead, 0xffff);
    }
  }
  if (block.hasEcn && !isSyn) {
    if (block.echoesCongestion) flags |= FLAG.ECE;
    if (isMarkable && block.owesCwr && payload.length > 0) {
      flags |= FLAG.CWR;
      block.owesCwr = false;
    }
  }
  const hasAck = (flags & FLAG.ACK) !== 0;
  step.segments.push({
    ip: isMarkable && block.hasEcn ? block.ipEct : block.ip,
    srcPort: block.local.port,
    dstPort: block.remote.port,
    seq,
    ack: hasAck ? block.rcvNxt : ZERO,
    flags,
    window: offerWindow(block, isSyn),
    checksum: 0,
    urgentPointer,
    options,
    payload,
  });
  // RFC 5482 section 3.2: on the SYN, and on the first segment behind it.
  if (block.owesUserTimeout && !isSyn && options.some(({ kind }) => kind === 'userTimeout'))
    block.owesUserTimeout = false;
  settle(block, step, hasAck, payload.length);
}

const ZERO = 0 as SeqNumber;

/** Every segment but the first acknowledges all that came. */
function settle(block: ControlBlock, step: Step, hasAck: boolean, octets: number): void {
  block.counts.segmentsOut += 1;
  block.counts.octetsSent += octets;
  if (!hasAck) return;
  block.lastAckSent = block.rcvNxt;
  block.ackOwed = 'none';
  block.unacknowledgedOctets = 0;
  block.timers.delayedAck = NEVER;
  block.dsack = undefined;
  if (octets > 0) block.lastSentNs = step.nowNs;
}

/** <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>; where a probe lies beyond a shut window, or the window has shrunk, at its edge, to be acceptable. */
export function sendAck(block: ControlBlock, step: Step): void {
  const { sndUna, sndNxt, sndWnd } = block;
  const edge = seqAdd(sndUna, sndWnd);
  const isBeyond = isSynchronized(block.state) && seqDiff(sndNxt, edge) > 0;
  emit(block, step, { seq: isBeyond ? edge : sndNxt, flags: FLAG.ACK });
}

/** <SEQ=SND.NXT><CTL=RST>, with an ACK, which tells firewalls what it belongs to: ABORT of section 3.10.5. */
export function sendReset(block: ControlBlock, step: Step): void {
  const options = timestampOptions(block, step.nowNs);
  emit(block, step, { seq: block.sndNxt, flags: FLAG.RST | FLAG.ACK, options });
}

/** The SYN of this side, or its SYN,ACK. `payload`: Fast Open. */
export function emitSyn(block: ControlBlock, step: Step, payload: Uint8Array = NOTHING): void {
  // Whose SYN is out there may have closed since, or taken data by Fast Open: only in SYN-SENT there is nothing to acknowledge.
  const isAnswer = block.state !== 'SYN-SENT';
  const asks = !isAnswer && block.settings.ecn === 'ask' && block.retries === 0;
  const ecn = isAnswer ? (block.hasEcn ? FLAG.ECE : 0) : asks ? FLAG.ECE | FLAG.CWR : 0;
  emit(block, step, {
    seq: block.iss,
    flags: FLAG.SYN | (isAnswer ? FLAG.ACK : 0) | ecn,
    options: synOptions(block, step.nowNs, isAnswer),
    payload,
  });
}

/** RFC 9293 section 3.10.7.1: the reset for a segment that belongs to no connection, or acknowledges what was never sent. */
export function resetFor(segment: Segment, hopLimit = 64): Segment | undefined {
  const { flags, ip } = segment;
  if ((flags & FLAG.RST) !== 0) return undefined;
  const hasAck = (flags & FLAG.ACK) !== 0;
  const length =
    segment.payload.length + ((flags & FLAG.SYN) === 0 ? 0 : 1) + ((flags & FLAG.FIN) === 0 ? 0 : 1);
  return {
    ip: answerHeader(ip, hopLimit),
    srcPort: segment.dstPort,
    dstPort: segment.srcPort,
    // If the ACK bit is off, sequence number zero is used, <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>; if on, <SEQ=SEG.ACK><CTL=RST>.
    seq: hasAck ? segment.ack : ZERO,
    ack: hasAck ? ZERO : seqAdd(segment.seq, length),
    flags: hasAck ? FLAG.RST : FLAG.RST | FLAG.ACK,
    window: 0,
    checksum: 0,
    urgentPointer: 0,
    options: [],
    payload: NOTHING,
  };
}

const answerHeader = (ip: Segment['ip'], hopLimit: number): Segment['ip'] =>
  ip.version === 4
    ? ipv4Header({ src: ip.dst, dst: ip.src, ttl: hopLimit, trafficClass: 0, dontFragment: true })
    : ipv6Header({ src: ip.dst, dst: ip.src, ttl: hopLimit, trafficClass: 0, flowLabel: 0 });
