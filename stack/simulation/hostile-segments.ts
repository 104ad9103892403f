/**
 * Segments and ICMP messages of somebody who knows a connection's numbers, or guesses them nearly, and means no good: each field is
 * mostly near what would be right, sometimes anywhere.
 */
import {
  FLAG,
  makeSegment,
  type Random,
  type SackBlock,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqDiff,
  seqNumber,
  type TcpOption,
} from '../../harness/segment/index.js';
import type { ControlBlock, IcmpNews, Nanos } from '../tcp/index.js';
import { text } from './text.js';

const USUAL_FLAGS = [
  FLAG.ACK,
  FLAG.ACK,
  FLAG.ACK,
  FLAG.ACK,
  FLAG.ACK | FLAG.PSH,
  FLAG.ACK | FLAG.FIN,
  FLAG.ACK | FLAG.URG,
  FLAG.SYN,
  FLAG.SYN | FLAG.ACK,
  FLAG.RST,
  FLAG.RST | FLAG.ACK,
  FLAG.ACK | FLAG.ECE,
  FLAG.ACK | FLAG.CWR,
  FLAG.SYN | FLAG.ECE | FLAG.CWR,
  FLAG.FIN,
  0,
] as const;

export function hostileSegment(random: Random, block: ControlBlock, nowNs: Nanos): Segment {
  const { local, remote, ip } = block;
  const payload = text(random.below(3), random.below(5000), payloadLength(random));
  return makeSegment({
    src: remote.ip,
    dst: local.ip,
    ip: {
      ttl: 64,
      trafficClass: random.below(8) === 0 ? random.octet() : 0,
      ...(ip.version === 4 ? {} : {}),
    },
    srcPort: remote.port,
    dstPort: local.port,
    seq: near(random, seqPlaces(block)),
    ack: near(random, ackPlaces(block)),
    flags: random.below(24) === 0 ? random.below(4096) : random.pick(USUAL_FLAGS),
    window: random.pick([0, 1, 100, 1000, 0xffff, random.below(0x10000)]),
    urgentPointer: random.below(4) === 0 ? random.below(0x10000) : random.below(3),
    options: hostileOptions(random, block, nowNs),
    payload,
  });
}

const payloadLength = (random: Random): number =>
  random.pick([0, 0, 0, 1, 2, 100, 536, 1448, 1460, random.below(3000)]);

/** At one of these places, or next to it, or in the neighbourhood, or anywhere. */
function near(random: Random, places: readonly [SeqNumber, ...SeqNumber[]]): SeqNumber {
  const place = random.pick(places);
  switch (random.below(16)) {
    case 0:
      return seqNumber(random.uint32());
    case 1:
      return seqAdd(place, random.below(200_000) - 100_000);
    case 2:
    case 3:
      return seqAdd(place, random.below(2000) - 1000);
    case 4:
    case 5:
      return seqAdd(place, random.below(5) - 2);
    default:
      return place;
  }
}

function seqPlaces({
  rcvNxt,
  rcvEdge,
  irs,
  early,
  lastAckSent,
  earlyFin,
}: ControlBlock): [SeqNumber, ...SeqNumber[]] {
  const places: [SeqNumber, ...SeqNumber[]] = [
    rcvNxt,
    rcvNxt,
    rcvNxt,
    seqAdd(rcvNxt, 1000),
    rcvEdge,
    irs,
    lastAckSent,
  ];
  for (const { left, right } of early.slice(0, 3)) places.push(left, right);
  if (earlyFin !== undefined) places.push(earlyFin);
  return places;
}

function ackPlaces({ sndUna, sndNxt, iss, maxSndWnd, sent }: ControlBlock): [SeqNumber, ...SeqNumber[]] {
  const middle = sent.at(sent.count >> 1);
  return [
    sndUna,
    sndUna,
    sndNxt,
    sndNxt,
    middle?.seq ?? sndUna,
    iss,
    seqAdd(sndUna, -maxSndWnd),
    seqAdd(sndNxt, 1),
  ];
}

/** As much as fits into a header. */
function hostileOptions(random: Random, block: ControlBlock, nowNs: Nanos): TcpOption[] {
  const options: TcpOption[] = [];
  if (random.below(8) > 0 && block.hasTimestamps) options.push(timestamps(random, block, nowNs));
  if (random.below(4) === 0)
    options.push({ kind: 'sack', blocks: sackBlocks(random, block, options.length > 0 ? 3 : 4) });
  else if (random.below(8) === 0) options.push(...oddOptions(random));
  while (octetsOf(options) % 4 !== 0) options.push({ kind: 'nop' });
  return octetsOf(options) <= 40 ? options : [];
}

const OCTETS: Partial<Record<TcpOption['kind'], number>> = {
  nop: 1,
  mss: 4,
  windowScale: 3,
  sackPermitted: 2,
  timestamps: 10,
  userTimeout: 4,
};

const octetsOf = (options: readonly TcpOption[]): number =>
  options.reduce((sum, option) => {
    if (option.kind === 'sack') return sum + 2 + 8 * option.blocks.length;
    if (option.kind === 'fastOpen') return sum + 2 + option.cookie.length;
    return sum + (OCTETS[option.kind] ?? 0);
  }, 0);

function timestamps(random: Random, { tsRecent, tsOffset }: ControlBlock, nowNs: Nanos): TcpOption {
  const nowMs = Math.floor(nowNs / 1e6) + tsOffset;
  return {
    kind: 'timestamps',
    tsVal:
      random.pick([
        tsRecent,
        tsRecent,
        tsRecent + random.below(1000),
        tsRecent - random.below(100),
        random.uint32(),
      ]) >>> 0,
    tsEcr:
      random.pick([nowMs, nowMs - random.below(1000), nowMs + random.below(1000), 0, random.uint32()]) >>> 0,
  };
}

function sackBlocks(random: Random, block: ControlBlock, most: number): SackBlock[] {
  const { sent, sndUna, sndNxt } = block;
  const edge = (): SeqNumber => {
    const record = sent.count === 0 ? undefined : sent.at(random.below(sent.count));
    const flight = Math.max(seqDiff(sndNxt, sndUna), 1);
    return random.pick([
      record?.seq ?? sndUna,
      record?.seq ?? sndUna,
      record === undefined ? sndNxt : seqAdd(record.seq, record.length),
      record === undefined ? sndNxt : seqAdd(record.seq, record.length),
      seqAdd(sndUna, random.below(flight + 100) - 50),
      sndNxt,
      seqNumber(random.uint32()),
    ]);
  };
  return Array.from({ length: 1 + random.below(most) }, () => {
    const [a, b] = [edge(), edge()];
    const isSwapped = seqDiff(a, b) > 0 && random.below(8) > 0;
    return isSwapped ? { left: b, right: a } : { left: a, right: b };
  });
}

function oddOptions(random: Random): TcpOption[] {
  const all: readonly [TcpOption, ...TcpOption[]] = [
    { kind: 'mss', mss: random.pick([0, 1, 48, 536, 1460, 0xffff]) },
    { kind: 'windowScale', shift: random.pick([0, 7, 14, 15, 255]) },
    { kind: 'sackPermitted' },
    { kind: 'timestamps', tsVal: random.uint32(), tsEcr: random.uint32() },
    { kind: 'userTimeout', granularity: random.pick(['seconds', 'minutes']), timeout: random.below(0x8000) },
    { kind: 'fastOpen', cookie: new Uint8Array(random.pick([0, 1, 4, 8, 16])) },
  ];
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(all));
}

export function hostileIcmp(random: Random, block: ControlBlock): IcmpNews {
  const seq = near(random, ackPlaces(block));
  switch (random.below(4)) {
    case 0:
      return { kind: 'hard', seq, error: random.pick(['ECONNREFUSED', 'EPROTO']) };
    case 1:
      return { kind: 'soft', seq, error: random.pick(['EHOSTUNREACH', 'ENETUNREACH']) };
    default:
      return {
        kind: 'too-big',
        seq,
        mtu: random.pick([0, 1, 68, 575, 576, 1280, 1300, 1499, 1500, 9000, 0xffff_ffff]),
      };
  }
}
