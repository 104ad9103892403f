/** Changed, broken and invented segments. */
import {
  decode,
  encode,
  FLAG,
  type FlagName,
  type IpHeader,
  type Segment,
  seqNumber,
  type TcpOption,
} from '../segment/index.js';
import type { OptionSetting, SegmentChange } from './action.js';
import { type Arrival, type FlowFacts, otherSide, type Side } from './flow.js';
import { resolveSeq } from './seq-point.js';

/** What a segment is changed by: where it came from counts for `seq` and `ack` in words. */
interface Model {
  readonly arrival: Arrival;
  readonly facts: FlowFacts;
}

/** The segment with some fields replaced. Throws when a number in words cannot be told. */
export function rewritten(
  segment: Segment,
  change: SegmentChange,
  { arrival, facts }: Model,
  sender = arrival.from,
): Segment {
  const { seq, ack, window, srcPort, dstPort, urgentPointer } = change;
  return {
    ...segment,
    ...(window !== undefined && { window }),
    ...(srcPort !== undefined && { srcPort }),
    ...(dstPort !== undefined && { dstPort }),
    ...(urgentPointer !== undefined && { urgentPointer }),
    ...(seq !== undefined && { seq: resolveSeq(seq, sender, arrival, facts) }),
    ...(ack !== undefined && { ack: resolveSeq(ack, otherSide(sender), arrival, facts) }),
    ...(change.flags !== undefined && { flags: flagBits(change.flags) }),
    ...(change.ttl !== undefined && { ip: { ...segment.ip, ttl: change.ttl } }),
    options: changedOptions(segment.options, change),
    payload: changedPayload(segment.payload, change),
  };
}

/** A segment that nobody sent, in the connection of the matched one; see `Action` for what absent fields become. */
export function forged(change: SegmentChange, sender: Side, model: Model): Segment {
  const { segment, from } = model.arrival;
  const isOwn = sender === from;
  const blank: Segment = {
    ip: isOwn ? segment.ip : swapped(segment.ip),
    srcPort: isOwn ? segment.srcPort : segment.dstPort,
    dstPort: isOwn ? segment.dstPort : segment.srcPort,
    seq: seqNumber(0),
    ack: seqNumber(0),
    flags: FLAG.ACK,
    window: segment.window,
    checksum: 0,
    urgentPointer: 0,
    options: [],
    payload: new Uint8Array(0),
  };
  return rewritten(blank, withNumbers(change, sender, model), model, sender);
}

/** `next` on both sides. A SYN does not tell the other side's number: 0, as in RFC 9293 section 3.10.7.1. */
function withNumbers(change: SegmentChange, sender: Side, { arrival }: Model): SegmentChange {
  const knows = (side: Side) => side === arrival.from || (arrival.segment.flags & FLAG.ACK) !== 0;
  const hasAck = change.flags === undefined || change.flags.includes('ACK');
  return {
    seq: knows(sender) ? 'next' : 0,
    ack: hasAck && knows(otherSide(sender)) ? 'next' : 0,
    ...change,
  };
}

const swapped = (ip: IpHeader): IpHeader => ({ ...ip, src: ip.dst, dst: ip.src });

const flagBits = (names: readonly FlagName[]): number => names.reduce((flags, name) => flags | FLAG[name], 0);

function changedPayload(payload: Uint8Array, { payload: text, payloadHex: hex }: SegmentChange): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  return hex === undefined ? payload : Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** Padding is laid anew behind the changed options; it is left alone when nothing changes. */
function changedOptions(
  options: readonly TcpOption[],
  { setOptions = [], removeOptions = [] }: SegmentChange,
): readonly TcpOption[] {
  if (setOptions.length === 0 && removeOptions.length === 0) return options;
  const replaced = options.map((old) => setOptions.find(({ kind }) => kind === old.kind) ?? old);
  const isNew = ({ kind }: OptionSetting) => !options.some((old) => old.kind === kind);
  return [...replaced, ...setOptions.filter(isNew)].filter(
    ({ kind }) => kind !== 'eol' && kind !== 'nop' && !removeOptions.includes(kind),
  );
}

/** Differs from a right checksum by more than the two forms of zero (RFC 1071). */
const CORRUPTION = 0x5555;

/** The packet with a TCP checksum that is certainly wrong. */
export function withWrongChecksum(packet: Uint8Array): Uint8Array {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error('a packet without a TCP header has no checksum to corrupt');
  const { segment } = decoded;
  const right = decode(encode(segment));
  const checksum = right.kind === 'segment' ? right.segment.checksum : segment.checksum;
  return encode({ ...segment, checksum: checksum ^ CORRUPTION }, { checksums: 'keep' });
}
