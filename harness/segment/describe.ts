/** A segment in one line, in the manner of tcpdump and Wireshark: `FIN,ACK seq=5 ack=1 win=502 len=0`. */
import { flagsText, hasFlags } from './flags.js';
import { toHex } from './hex.js';
import { FLAG, type Segment, type TcpOption } from './segment.js';
import { seqAdd } from './sequence.js';

export interface DescribeOptions {
  /** SEG.SEQ and SEG.ACK relative to the initial sequence numbers, where they are known. */
  readonly relSeq?: number | undefined;
  readonly relAck?: number | undefined;
}

/**
 * Flags, numbers as carried (or relative), the octets of data, and the options that people look for: all but NOP, EOL and
 * timestamps. `ack` is left out without the ACK bit. SACK blocks are relative when `relAck` is given.
 */
export function describeSegment(segment: Segment, { relSeq, relAck }: DescribeOptions = {}): string {
  const words = [flagsText(segment.flags), `seq=${relSeq ?? segment.seq}`];
  if (hasFlags(segment, FLAG.ACK)) words.push(`ack=${relAck ?? segment.ack}`);
  words.push(`win=${segment.window}`, `len=${segment.payload.length}`);
  if (hasFlags(segment, FLAG.URG)) words.push(`urg=${segment.urgentPointer}`);
  const ackBase = relAck === undefined ? 0 : relAck - segment.ack;
  for (const option of segment.options) {
    const text = optionText(option, ackBase);
    if (text !== undefined) words.push(text);
  }
  if (segment.optionsProblem !== undefined) words.push(`(${segment.optionsProblem.what})`);
  return words.join(' ');
}

function optionText(option: TcpOption, ackBase: number): string | undefined {
  switch (option.kind) {
    case 'eol':
    case 'nop':
    case 'timestamps':
      return undefined;
    case 'mss':
      return `mss=${option.mss}`;
    case 'windowScale':
      return `ws=${option.shift}`;
    case 'sackPermitted':
      return 'sackOK';
    case 'sack':
      return `sack=${option.blocks
        .map(({ left, right }) => `${seqAdd(left, ackBase)}-${seqAdd(right, ackBase)}`)
        .join(',')}`;
    case 'fastOpen':
      return option.cookie.length === 0 ? 'tfo=request' : `tfo=${toHex(option.cookie)}`;
    case 'userTimeout':
      return `uto=${option.timeout}${option.granularity === 'minutes' ? 'min' : 's'}`;
    case 'md5':
      return 'md5';
    case 'ao':
      return 'ao';
    case 'unknown':
      return option.problem === undefined ? `opt${option.number}` : `(${option.problem})`;
  }
}
