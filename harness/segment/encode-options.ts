/** TCP options to octets, in the order and with the values given; a value that its field cannot hold is refused. */
import { OPTION_NUMBER } from './option-numbers.js';
import { fits } from './range.js';
import type { TcpOption } from './segment.js';

/** The octets that the options take, before padding to a multiple of four. */
export const optionsLength = (options: readonly TcpOption[]): number =>
  options.reduce((sum, option) => sum + optionLength(option), 0);

function optionLength(option: TcpOption): number {
  switch (option.kind) {
    case 'eol':
      return 1 + (option.padding?.length ?? 0);
    case 'nop':
      return 1;
    case 'mss':
    case 'userTimeout':
      return 4;
    case 'windowScale':
      return 3;
    case 'sackPermitted':
      return 2;
    case 'sack':
      return 2 + 8 * option.blocks.length;
    case 'timestamps':
      return 10;
    default:
      return 2 + opaqueData(option).length;
  }
}

type OpaqueOption = Extract<TcpOption, { kind: 'md5' | 'ao' | 'fastOpen' | 'unknown' }>;

function opaqueData(option: OpaqueOption): Uint8Array {
  if (option.kind === 'md5') return option.digest;
  return option.kind === 'fastOpen' ? option.cookie : option.data;
}

/** Writes one option at `at` and returns the offset behind it. */
export function encodeOption(option: TcpOption, bytes: Uint8Array, view: DataView, at: number): number {
  const length = optionLength(option);
  view.setUint8(at, optionNumber(option));
  if (option.kind === 'eol' && option.padding !== undefined) bytes.set(option.padding, at + 1);
  if (option.kind === 'eol' || option.kind === 'nop') return at + length;
  view.setUint8(at + 1, length);
  encodeData(option, bytes, view, at + 2);
  return at + length;
}

function optionNumber(option: TcpOption): number {
  if (option.kind !== 'unknown') return OPTION_NUMBER[option.kind];
  if (option.number > 1) return fits(option.number, 8, "an unknown option's number");
  throw new RangeError(`an unknown option has number ${option.number}: write 'eol' for 0 and 'nop' for 1`);
}

function encodeData(option: TcpOption, bytes: Uint8Array, view: DataView, at: number): void {
  switch (option.kind) {
    case 'eol':
    case 'nop':
    case 'sackPermitted':
      return;
    case 'mss':
      view.setUint16(at, fits(option.mss, 16, 'the MSS'));
      return;
    case 'windowScale':
      view.setUint8(at, fits(option.shift, 8, 'the window scale'));
      return;
    case 'sack':
      option.blocks.forEach(({ left, right }, i) => {
        view.setUint32(at + 8 * i, fits(left, 32, "a SACK block's left edge"));
        view.setUint32(at + 8 * i + 4, fits(right, 32, "a SACK block's right edge"));
      });
      return;
    case 'timestamps':
      view.setUint32(at, fits(option.tsVal, 32, 'TSval'));
      view.setUint32(at + 4, fits(option.tsEcr, 32, 'TSecr'));
      return;
    case 'userTimeout': {
      const minutes = option.granularity === 'minutes' ? 0x8000 : 0;
      view.setUint16(at, minutes | fits(option.timeout, 15, 'the user timeout'));
      return;
    }
    default:
      bytes.set(opaqueData(option), at);
  }
}
