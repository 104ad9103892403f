/** Sound packets of every shape that the codec knows, for the fuzz to damage. */
import { encode } from './codec.js';
import { fromHex } from './hex.js';
import { makeSegment } from './make-segment.js';
import type { TcpOption } from './segment.js';
import { seqNumber } from './sequence.js';

const NOP: TcpOption = { kind: 'nop' };
const TIMESTAMPS: TcpOption = { kind: 'timestamps', tsVal: 0xfffffff0, tsEcr: 1 };
const V6 = { src: '2001:db8::1', dst: '2001:db8:0:1::7' };
const SYN_OPTIONS: readonly TcpOption[] = [
  { kind: 'mss', mss: 1460 },
  { kind: 'sackPermitted' },
  TIMESTAMPS,
  NOP,
  { kind: 'windowScale', shift: 7 },
];
const OPAQUE: readonly TcpOption[] = [
  { kind: 'userTimeout', granularity: 'minutes', timeout: 5 },
  { kind: 'fastOpen', cookie: fromHex('0102030405060708') },
  { kind: 'ao', data: fromHex('0102a1a2a3a4a5a6a7a8a9aaabac') },
  { kind: 'unknown', number: 253, data: fromHex('f989') },
  { kind: 'eol' },
];
const SACK: TcpOption = {
  kind: 'sack',
  blocks: [
    { left: seqNumber(0xffffff00), right: seqNumber(0x10) },
    { left: seqNumber(5), right: seqNumber(9) },
  ],
};

export const FUZZ_CORPUS: readonly [Uint8Array, ...Uint8Array[]] = [
  encode(makeSegment({ flags: 'SYN', seq: -1, options: SYN_OPTIONS })),
  encode(makeSegment({ ...V6, flags: 'SYN,ACK', seq: -1, options: SYN_OPTIONS })),
  encode(makeSegment({ options: [NOP, NOP, TIMESTAMPS], payload: 'hello' })),
  encode(makeSegment({ ...V6, options: [NOP, NOP, TIMESTAMPS, NOP, NOP, SACK] })),
  encode(makeSegment({ options: OPAQUE })),
  encode(makeSegment({ ...V6, options: OPAQUE, payload: 'x' })),
  encode(
    makeSegment({ options: [{ kind: 'md5', digest: new Uint8Array(16).fill(0x5a) }], flags: 'FIN,ACK' }),
  ),
  encode(makeSegment({ options: fromHex('00 010203'), ip: { options: fromHex('94040000') } })),
  encode(makeSegment({ options: fromHex('0101 0402 02ff 0000') })),
  encode(
    makeSegment({ ...V6, ip: { nextHeader: 0, extensions: fromHex('3c00050200000100 0600010400000000') } }),
  ),
  encode(makeSegment({ ...V6, ip: { nextHeader: 44, extensions: fromHex('0600000000000007') } })),
  encode(makeSegment({ ...V6, ip: { nextHeader: 51, extensions: fromHex('060100000000000100000002') } })),
];
