/**
 * TCP options from octets: RFC 9293 section 3.2 (EOL, NOP, MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK),
 * RFC 7413 (fast open), RFC 5482 (user timeout), RFC 2385 (MD5), RFC 5925 (AO). Values are kept as carried, sensible or not.
 */
import { OPTION_NUMBER } from './option-numbers.js';
import type { OptionsProblem, SackBlock, TcpOption } from './segment.js';
import { seqNumber } from './sequence.js';

const EOL: TcpOption = Object.freeze({ kind: 'eol' });
const NOP: TcpOption = Object.freeze({ kind: 'nop' });
const SACK_PERMITTED: TcpOption = Object.freeze({ kind: 'sackPermitted' });

/** Options up to the first that cannot be read. */
export interface DecodedOptions {
  readonly options: readonly TcpOption[];
  readonly problem?: OptionsProblem;
}

const part = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);

/** Reads the options in `[from, to)`; offsets in a problem count from the start of `bytes`. */
export function decodeOptions(bytes: Uint8Array, view: DataView, from: number, to: number): DecodedOptions {
  const options: TcpOption[] = [];
  for (let at = from; at < to; ) {
    const number = view.getUint8(at);
    if (number === OPTION_NUMBER.nop) {
      options.push(NOP);
      at += 1;
    } else if (number === OPTION_NUMBER.eol) {
      options.push(decodeEol(bytes, from, at + 1, to));
      break;
    } else {
      const length = at + 1 < to ? view.getUint8(at + 1) : 0;
      if (length < 2 || at + length > to) return { options, problem: badLength(bytes, at, to) };
      options.push(decodeOption(bytes, view, at, length));
      at += length;
    }
  }
  return { options };
}

function badLength(bytes: Uint8Array, at: number, to: number): OptionsProblem {
  const rest = part(bytes, at, to);
  const [number, length] = rest;
  const bad = (where: number, what: string): OptionsProblem => ({ layer: 'option', at: where, what, rest });
  if (length === undefined) return bad(at, `option ${number} has no length: the header ends behind its kind`);
  if (length < 2) return bad(at + 1, `option ${number} has length ${length}, less than its own two octets`);
  return bad(at + 1, `option ${number} has length ${length}, and the header ends after ${to - at} of them`);
}

/** `at` is behind the EOL. What stands there is kept unless it is what `encodeOptions` would put there. */
function decodeEol(bytes: Uint8Array, from: number, at: number, to: number): TcpOption {
  if (to - at === (-(at - from) & 3)) {
    let clear = true;
    for (let i = at; i < to; i++) clear &&= bytes[i] === 0;
    if (clear) return EOL;
  }
  return { kind: 'eol', padding: part(bytes, at, to) };
}

/** One option with a sound length. One that has not its kind's length is `unknown`, with its octets and the reason. */
function decodeOption(bytes: Uint8Array, view: DataView, at: number, length: number): TcpOption {
  const number = view.getUint8(at);
  const data = at + 2;
  const end = at + length;
  switch (number) {
    case OPTION_NUMBER.mss:
      if (length === 4) return { kind: 'mss', mss: view.getUint16(data) };
      break;
    case OPTION_NUMBER.windowScale:
      if (length === 3) return { kind: 'windowScale', shift: view.getUint8(data) };
      break;
    case OPTION_NUMBER.sackPermitted:
      if (length === 2) return SACK_PERMITTED;
      break;
    case OPTION_NUMBER.sack:
      if (length > 2 && (length - 2) % 8 === 0)
        return { kind: 'sack', blocks: decodeBlocks(view, data, end) };
      break;
    case OPTION_NUMBER.timestamps:
      if (length === 10)
        return { kind: 'timestamps', tsVal: view.getUint32(data), tsEcr: view.getUint32(data + 4) };
      break;
    case OPTION_NUMBER.md5:
      if (length === 18) return { kind: 'md5', digest: part(bytes, data, end) };
      break;
    case OPTION_NUMBER.userTimeout:
      if (length === 4) return decodeUserTimeout(view.getUint16(data));
      break;
    case OPTION_NUMBER.ao:
      if (length >= 4) return { kind: 'ao', data: part(bytes, data, end) };
      break;
    case OPTION_NUMBER.fastOpen:
      return { kind: 'fastOpen', cookie: part(bytes, data, end) };
    default:
      return { kind: 'unknown', number, data: part(bytes, data, end) };
  }
  const problem = `option ${number} has length ${length} instead of ${LENGTHS[number]}`;
  return { kind: 'unknown', number, data: part(bytes, data, end), problem };
}

/** The lengths that kinds have, in words. */
const LENGTHS: Readonly<Record<number, string>> = {
  [OPTION_NUMBER.mss]: '4',
  [OPTION_NUMBER.windowScale]: '3',
  [OPTION_NUMBER.sackPermitted]: '2',
  [OPTION_NUMBER.sack]: '10, 18, 26 or 34',
  [OPTION_NUMBER.timestamps]: '10',
  [OPTION_NUMBER.md5]: '18',
  [OPTION_NUMBER.userTimeout]: '4',
  [OPTION_NUMBER.ao]: '4 or more',
};

function decodeBlocks(view: DataView, from: number, to: number): SackBlock[] {
  const blocks: SackBlock[] = [];
  for (let at = from; at < to; at += 8) {
    blocks.push({ left: seqNumber(view.getUint32(at)), right: seqNumber(view.getUint32(at + 4)) });
  }
  return blocks;
}

/** RFC 5482 section 3: the granularity bit, set for minutes, and fifteen bits of time. */
const decodeUserTimeout = (word: number): TcpOption => ({
  kind: 'userTimeout',
  granularity: (word & 0x8000) === 0 ? 'seconds' : 'minutes',
  timeout: word & 0x7fff,
});
