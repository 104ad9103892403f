/** Packets written by an independent program and found sound, checksums included, by Wireshark's dissectors. */
import { expect } from 'chai';
import { decode, encode } from './codec.js';
import { describeSegment } from './describe.js';
import { fromHex, toHex } from './hex.js';
import type { Segment } from './segment.js';
import { seqNumber } from './sequence.js';

const V4 = {
  version: 4,
  src: '192.0.2.1',
  dst: '198.51.100.7',
  ttl: 64,
  trafficClass: 0,
  dontFragment: true,
} as const;
const V6 = {
  version: 6,
  src: '2001:db8::1',
  dst: '2001:db8:0:1::7',
  ttl: 64,
  trafficClass: 0,
  flowLabel: 0,
} as const;
const NONE = new Uint8Array(0);
const NOP = { kind: 'nop' } as const;

interface Golden {
  readonly name: string;
  readonly hex: string;
  readonly segment: Segment;
  readonly line: string;
}

const GOLDEN: readonly Golden[] = [
  {
    name: 'an IPv4 SYN with the options of a Linux client',
    hex: '4500003c1c4640004006323ac0000201c6336407a8ca0050fffffffe00000000a002faf0e3480000020405b40402080a075bcd150000000001030307',
    segment: {
      ip: { ...V4, identification: 0x1c46, checksum: 0x323a, options: NONE },
      srcPort: 43210,
      dstPort: 80,
      seq: seqNumber(0xfffffffe),
      ack: seqNumber(0),
      flags: 0x002,
      window: 64240,
      checksum: 0xe348,
      urgentPointer: 0,
      options: [
        { kind: 'mss', mss: 1460 },
        { kind: 'sackPermitted' },
        { kind: 'timestamps', tsVal: 123456789, tsEcr: 0 },
        NOP,
        { kind: 'windowScale', shift: 7 },
      ],
      payload: NONE,
    },
    line: 'SYN seq=4294967294 win=64240 len=0 mss=1460 sackOK ws=7',
  },
  {
    name: 'an IPv4 SYN,ACK with ECE and ECT(0)',
    hex: '4502003c000040003f064f7ec6336407c00002010050a8ca12345678ffffffffa052fe88d3210000020405b40402080a3ade68b1075bcd1501030309',
    segment: {
      ip: {
        ...V4,
        src: '198.51.100.7',
        dst: '192.0.2.1',
        ttl: 63,
        trafficClass: 2,
        identification: 0,
        checksum: 0x4f7e,
        options: NONE,
      },
      srcPort: 80,
      dstPort: 43210,
      seq: seqNumber(0x12345678),
      ack: seqNumber(0xffffffff),
      flags: 0x052,
      window: 65160,
      checksum: 0xd321,
      urgentPointer: 0,
      options: [
        { kind: 'mss', mss: 1460 },
        { kind: 'sackPermitted' },
        { kind: 'timestamps', tsVal: 987654321, tsEcr: 123456789 },
        NOP,
        { kind: 'windowScale', shift: 9 },
      ],
      payload: NONE,
    },
    line: 'SYN,ACK,ECE seq=305419896 ack=4294967295 win=65160 len=0 mss=1460 sackOK ws=9',
  },
  {
    name: 'IPv4 urgent data of odd length',
    hex: '450000391c4840004006323bc0000201c6336407a8ca0050ffffffff12345679803801f6babf00030101080a075bcd163ade68b168656c6c6f',
    segment: {
      ip: { ...V4, identification: 0x1c48, checksum: 0x323b, options: NONE },
      srcPort: 43210,
      dstPort: 80,
      seq: seqNumber(0xffffffff),
      ack: seqNumber(0x12345679),
      flags: 0x038,
      window: 502,
      checksum: 0xbabf,
      urgentPointer: 3,
      options: [NOP, NOP, { kind: 'timestamps', tsVal: 123456790, tsEcr: 987654321 }],
      payload: new TextEncoder().encode('hello'),
    },
    line: 'PSH,ACK,URG seq=4294967295 ack=305419897 win=502 len=5 urg=3',
  },
  {
    name: 'an IPv4 ACK with two SACK blocks',
    hex: '450000480007400040064e6dc0000201c6336407a8ca0050000003e8000007d0d01001f517ff00000101080a000000010000000201010512000013880000177000001b5800001f40',
    segment: {
      ip: { ...V4, identification: 7, checksum: 0x4e6d, options: NONE },
      srcPort: 43210,
      dstPort: 80,
      seq: seqNumber(1000),
      ack: seqNumber(2000),
      flags: 0x010,
      window: 501,
      checksum: 0x17ff,
      urgentPointer: 0,
      options: [
        NOP,
        NOP,
        { kind: 'timestamps', tsVal: 1, tsEcr: 2 },
        NOP,
        NOP,
        {
          kind: 'sack',
          blocks: [
            { left: seqNumber(5000), right: seqNumber(6000) },
            { left: seqNumber(7000), right: seqNumber(8000) },
          ],
        },
      ],
      payload: NONE,
    },
    line: 'ACK seq=1000 ack=2000 win=501 len=0 sack=5000-6000,7000-8000',
  },
  {
    name: 'IPv4 options, every reserved bit, and padding behind EOL that is not zero',
    hex: '4600003400008000ff06ba82c0000201c6336407940400000001ffff00000001000000027f100000e5eb000003030e00deadbeef',
    segment: {
      ip: {
        ...V4,
        ttl: 255,
        identification: 0,
        dontFragment: false,
        reservedFlag: true,
        checksum: 0xba82,
        options: fromHex('94040000'),
      },
      srcPort: 1,
      dstPort: 65535,
      seq: seqNumber(1),
      ack: seqNumber(2),
      flags: 0xf10,
      window: 0,
      checksum: 0xe5eb,
      urgentPointer: 0,
      options: [
        { kind: 'windowScale', shift: 14 },
        { kind: 'eol', padding: fromHex('deadbeef') },
      ],
      payload: NONE,
    },
    line: 'ACK,AE,0xe00 seq=1 ack=2 win=0 len=0 ws=14',
  },
  {
    name: 'IPv4 with MD5, user timeouts and an experiment',
    hex: '4500004d0009400040064e66c0000201c633640700b3c3500000000100000002e01800646baa00001312000102030405060708090a0b0c0d0e0f1c04803c1c04001efd0af98901020304050600',
    segment: {
      ip: { ...V4, identification: 9, checksum: 0x4e66, options: NONE },
      srcPort: 179,
      dstPort: 50000,
      seq: seqNumber(1),
      ack: seqNumber(2),
      flags: 0x018,
      window: 100,
      checksum: 0x6baa,
      urgentPointer: 0,
      options: [
        { kind: 'md5', digest: fromHex('000102030405060708090a0b0c0d0e0f') },
        { kind: 'userTimeout', granularity: 'minutes', timeout: 60 },
        { kind: 'userTimeout', granularity: 'seconds', timeout: 30 },
        { kind: 'unknown', number: 253, data: fromHex('f989010203040506') },
      ],
      payload: fromHex('00'),
    },
    line: 'PSH,ACK seq=1 ack=2 win=100 len=1 md5 uto=60min uto=30s opt253',
  },
  {
    name: 'an IPv6 SYN with a fast open cookie and data',
    hex: '6b8abcde0027064020010db800000000000000000000000120010db80000000100000000000000079c4001bb80000000000000009002fd2021ee0000020405a0220a11223344556677880101474554',
    segment: {
      ip: { ...V6, trafficClass: 0xb8, flowLabel: 0xabcde, extensions: NONE, nextHeader: 6 },
      srcPort: 40000,
      dstPort: 443,
      seq: seqNumber(0x80000000),
      ack: seqNumber(0),
      flags: 0x002,
      window: 64800,
      checksum: 0x21ee,
      urgentPointer: 0,
      options: [
        { kind: 'mss', mss: 1440 },
        { kind: 'fastOpen', cookie: fromHex('1122334455667788') },
        NOP,
        NOP,
      ],
      payload: new TextEncoder().encode('GET'),
    },
    line: 'SYN seq=2147483648 win=64800 len=3 mss=1440 tfo=1122334455667788',
  },
  {
    name: 'an IPv6 FIN,ACK with AO behind hop-by-hop and destination options',
    hex: '600000000034004020010db800000000000000000000000120010db80000000100000000000000073c0005020000010006000104000000009c4001bb0000000500000006901101f66e4c00001d100102a1a2a3a4a5a6a7a8a9aaabac',
    segment: {
      ip: { ...V6, extensions: fromHex('3c00050200000100 0600010400000000'), nextHeader: 0 },
      srcPort: 40000,
      dstPort: 443,
      seq: seqNumber(5),
      ack: seqNumber(6),
      flags: 0x011,
      window: 502,
      checksum: 0x6e4c,
      urgentPointer: 0,
      options: [{ kind: 'ao', data: fromHex('0102a1a2a3a4a5a6a7a8a9aaabac') }],
      payload: NONE,
    },
    line: 'FIN,ACK seq=5 ack=6 win=502 len=0 ao',
  },
  {
    name: 'an IPv6 RST,ACK without options',
    hex: '600000000014060120010db800000001000000000000000720010db800000000000000000000000101bb9c4000000000ffffffff50140000b65a0000',
    segment: {
      ip: {
        ...V6,
        src: '2001:db8:0:1::7',
        dst: '2001:db8::1',
        ttl: 1,
        extensions: NONE,
        nextHeader: 6,
      },
      srcPort: 443,
      dstPort: 40000,
      seq: seqNumber(0),
      ack: seqNumber(0xffffffff),
      flags: 0x014,
      window: 0,
      checksum: 0xb65a,
      urgentPointer: 0,
      options: [],
      payload: NONE,
    },
    line: 'RST,ACK seq=0 ack=4294967295 win=0 len=0',
  },
];

describe('golden packets', () => {
  for (const { name, hex, segment, line } of GOLDEN) {
    it(`reads ${name}`, () => {
      expect(decode(fromHex(hex))).to.deep.equal({
        kind: 'segment',
        segment,
        checksumOk: { ip: true, tcp: true },
      });
    });

    it(`writes ${name}, with the right checksums`, () => {
      expect(toHex(encode(segment))).to.equal(hex);
    });

    it(`describes ${name}`, () => {
      expect(describeSegment(segment)).to.equal(line);
    });
  }
});
