/** The TCP header and what it carries, from and to octets (RFC 9293 section 3.1). Knows nothing of connections. */
import { finishChecksum, pseudoHeaderSum, tcpSum } from './checksum.js';
import { decodeOptions } from './decode-options.js';
import { encodeOption, optionsLength } from './encode-options.js';
import { MAX_OPTION_OCTETS } from './option-numbers.js';
import { fits } from './range.js';
import type { IpHeader, Problem, Segment, TcpOption } from './segment.js';
import { seqNumber } from './sequence.js';

export const TCP_HEADER = 20;
const NO_OPTIONS: readonly TcpOption[] = Object.freeze([]);
const CHECKSUM_AT = 16;

const problem = (at: number, what: string): Problem => ({ layer: 'tcp', at, what });

/** Reads the segment in `[from, to)` of a packet. */
export function decodeTcp(
  ip: IpHeader,
  bytes: Uint8Array,
  view: DataView,
  { from, to }: { readonly from: number; readonly to: number },
): Segment | Problem {
  const size = to - from;
  if (size < TCP_HEADER) return problem(to, `the packet ends in the TCP header, after ${size} octets of 20`);
  const header = (view.getUint8(from + 12) >> 4) * 4;
  if (header < TCP_HEADER) return problem(from + 12, `the data offset is ${header / 4} words, less than 5`);
  if (header > size) {
    return problem(
      from + 12,
      `the data offset is ${header / 4} words (${header} octets) in a segment of ${size} octets`,
    );
  }
  const dataAt = from + header;
  const { options, problem: optionsProblem } =
    header === TCP_HEADER ? { options: NO_OPTIONS } : decodeOptions(bytes, view, from + TCP_HEADER, dataAt);
  const segment: Segment = {
    ip,
    srcPort: view.getUint16(from),
    dstPort: view.getUint16(from + 2),
    seq: seqNumber(view.getUint32(from + 4)),
    ack: seqNumber(view.getUint32(from + 8)),
    flags: view.getUint16(from + 12) & 0xfff,
    window: view.getUint16(from + 14),
    checksum: view.getUint16(from + CHECKSUM_AT),
    urgentPointer: view.getUint16(from + 18),
    options,
    payload: new Uint8Array(bytes.buffer, bytes.byteOffset + dataAt, to - dataAt),
  };
  return optionsProblem === undefined ? segment : { ...segment, optionsProblem };
}

/** The octets of the TCP header with its options, padded to whole words. */
export function tcpHeaderLength(segment: Segment): number {
  const octets = optionsLength(segment.options) + (segment.optionsProblem?.rest.length ?? 0);
  if (octets <= MAX_OPTION_OCTETS) return TCP_HEADER + ((octets + 3) & ~3);
  const kinds = segment.options.map((option) => option.kind).join(', ');
  throw new RangeError(
    `the options (${kinds}) take ${octets} octets and a TCP header has room for ${MAX_OPTION_OCTETS}: leave some out`,
  );
}

/**
 * Writes the segment at `from`, up to the end of `bytes`, where zeros stand; the IP addresses are in place and `header`
 * is its `tcpHeaderLength`. Options that
 * do not fill a word are followed by zeros: EOL and header padding (MUST-69).
 */
export function encodeTcp(
  segment: Segment,
  bytes: Uint8Array,
  view: DataView,
  {
    from,
    header,
    checksums,
  }: {
    readonly from: number;
    readonly header: number;
    readonly checksums: 'compute' | 'keep' | 'partial';
  },
): void {
  view.setUint16(from, fits(segment.srcPort, 16, 'the source port'));
  view.setUint16(from + 2, fits(segment.dstPort, 16, 'the destination port'));
  view.setUint32(from + 4, fits(segment.seq, 32, 'the sequence number'));
  view.setUint32(from + 8, fits(segment.ack, 32, 'the acknowledgment number'));
  view.setUint16(from + 12, ((header / 4) << 12) | fits(segment.flags, 12, 'the flags number'));
  view.setUint16(from + 14, fits(segment.window, 16, 'the window'));
  view.setUint16(from + 18, fits(segment.urgentPointer, 16, 'the urgent pointer'));
  let at = from + TCP_HEADER;
  for (const option of segment.options) at = encodeOption(option, bytes, view, at);
  if (segment.optionsProblem !== undefined) bytes.set(segment.optionsProblem.rest, at);
  bytes.set(segment.payload, from + header);
  const { version } = segment.ip;
  if (checksums === 'keep') view.setUint16(from + CHECKSUM_AT, fits(segment.checksum, 16, 'the checksum'));
  else if (checksums === 'partial')
    // What is added up later is the sum itself and not yet its complement.
    view.setUint16(from + CHECKSUM_AT, ~finishChecksum(pseudoHeaderSum(view, version, bytes.length - from)));
  else view.setUint16(from + CHECKSUM_AT, finishChecksum(tcpSum(view, version, from, bytes.length)));
}
