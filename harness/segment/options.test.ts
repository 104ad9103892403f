import { expect } from 'chai';
import { decode, encode } from './codec.js';
import { optionsLength } from './encode-options.js';
import { fromHex, toHex } from './hex.js';
import { makeSegment } from './make-segment.js';
import type { Segment, TcpOption } from './segment.js';
import { seqNumber } from './sequence.js';

const block = (left: number, right: number) => ({ left: seqNumber(left), right: seqNumber(right) });

// Options and the header octets that they are, rounded up to a word.
const SOUND: readonly [string, readonly TcpOption[], string][] = [
  ['MSS', [{ kind: 'mss', mss: 1460 }], '020405b4'],
  ['MSS of 65535', [{ kind: 'mss', mss: 65535 }], '0204ffff'],
  ['NOP and window scale', [{ kind: 'nop' }, { kind: 'windowScale', shift: 7 }], '01030307'],
  [
    'a window scale beyond 14, kept as carried',
    [{ kind: 'windowScale', shift: 255 }, { kind: 'eol' }],
    '0303ff00',
  ],
  ['SACK permitted', [{ kind: 'sackPermitted' }, { kind: 'nop' }, { kind: 'nop' }], '04020101'],
  [
    'one SACK block',
    [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'sack', blocks: [block(0xffffffff, 1)] }],
    '0101050affffffff00000001',
  ],
  [
    'four SACK blocks',
    [
      { kind: 'sack', blocks: [block(1, 2), block(3, 4), block(5, 6), block(7, 8)] },
      { kind: 'nop' },
      { kind: 'nop' },
    ],
    '05220000000100000002000000030000000400000005000000060000000700000008 0101',
  ],
  [
    'timestamps',
    [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', tsVal: 0xfedcba98, tsEcr: 1 }],
    '0101080afedcba9800000001',
  ],
  [
    'a request for a fast open cookie',
    [{ kind: 'fastOpen', cookie: fromHex('') }, { kind: 'nop' }, { kind: 'nop' }],
    '22020101',
  ],
  [
    'a fast open cookie',
    [{ kind: 'fastOpen', cookie: fromHex('1122334455667788') }, { kind: 'nop' }, { kind: 'nop' }],
    '220a11223344556677880101',
  ],
  ['a user timeout in seconds', [{ kind: 'userTimeout', granularity: 'seconds', timeout: 300 }], '1c04012c'],
  [
    'a user timeout in minutes',
    [{ kind: 'userTimeout', granularity: 'minutes', timeout: 0x7fff }],
    '1c04ffff',
  ],
  [
    'MD5',
    [{ kind: 'md5', digest: fromHex('000102030405060708090a0b0c0d0e0f') }, { kind: 'nop' }, { kind: 'nop' }],
    '1312000102030405060708090a0b0c0d0e0f0101',
  ],
  ['AO', [{ kind: 'ao', data: fromHex('0102a1a2a3a4a5a6a7a8a9aaabac') }], '1d100102a1a2a3a4a5a6a7a8a9aaabac'],
  ['an experiment', [{ kind: 'unknown', number: 253, data: fromHex('f989aabbccdd') }], 'fd08f989aabbccdd'],
  [
    'an unknown kind without data',
    [{ kind: 'unknown', number: 77, data: fromHex('') }, { kind: 'nop' }, { kind: 'nop' }],
    '4d020101',
  ],
  ['EOL and the zeros that fill the word', [{ kind: 'eol' }], '00000000'],
  ['EOL as the last octet', [{ kind: 'windowScale', shift: 1 }, { kind: 'eol' }], '03030100'],
  [
    'more zeros behind EOL than fill the word',
    [{ kind: 'eol', padding: new Uint8Array(7) }],
    '0000000000000000',
  ],
  ['padding that is not zero', [{ kind: 'nop' }, { kind: 'eol', padding: fromHex('dead') }], '0100dead'],
  ['options hidden behind EOL', [{ kind: 'eol', padding: fromHex('01020302040001') }], '0001020302040001'],
];

/** A packet with these header octets for options, and what they are read as. */
function read(optionOctets: Uint8Array): Segment {
  const decoded = decode(encode(makeSegment({ options: optionOctets, payload: 'data' })));
  if (decoded.kind !== 'segment') throw new Error(`read as ${decoded.kind}`);
  return decoded.segment;
}

describe('TCP options', () => {
  for (const [name, options, octets] of SOUND) {
    it(`are read and written: ${name}`, () => {
      const segment = read(fromHex(octets));
      expect(segment.options).to.deep.equal(options);
      expect(segment).not.to.have.property('optionsProblem');
      const packet = encode(makeSegment({ options }));
      expect(packet.subarray(40)).to.deep.equal(fromHex(octets));
    });
  }

  it('that do not fill a word are followed by zeros', () => {
    const packet = encode(
      makeSegment({ options: [{ kind: 'windowScale', shift: 7 }, { kind: 'sackPermitted' }], payload: '!' }),
    );
    expect(toHex(packet.subarray(40))).to.equal('030307040200000021');
    expect((packet[32] ?? 0) >> 4).to.equal(7);
  });

  it('take as many octets as they say', () => {
    expect(
      optionsLength([{ kind: 'mss', mss: 1 }, { kind: 'nop' }, { kind: 'eol', padding: fromHex('0000') }]),
    ).to.equal(8);
  });
});

describe('TCP options with a length that is not their kind’s', () => {
  const wrong: readonly [string, number, string, string][] = [
    ['0203 05 00', 2, '05', 'option 2 has length 3 instead of 4'],
    ['0304 07 07', 3, '0707', 'option 3 has length 4 instead of 3'],
    ['0403 00 00', 4, '00', 'option 4 has length 3 instead of 2'],
    ['0502 01 01', 5, '', 'option 5 has length 2 instead of 10, 18, 26 or 34'],
    ['0506 00000001 0101', 5, '00000001', 'option 5 has length 6 instead of 10, 18, 26 or 34'],
    ['0808 000000010203', 8, '000000010203', 'option 8 has length 8 instead of 10'],
    ['1304 0102', 19, '0102', 'option 19 has length 4 instead of 18'],
    ['1c03 01 00', 28, '01', 'option 28 has length 3 instead of 4'],
    ['1d03 01 00', 29, '01', 'option 29 has length 3 instead of 4 or more'],
  ];
  for (const [octets, number, data, problem] of wrong) {
    it(`are kept with the reason: ${problem}`, () => {
      const segment = read(fromHex(octets));
      expect(segment.options[0]).to.deep.equal({ kind: 'unknown', number, data: fromHex(data), problem });
      expect(segment).not.to.have.property('optionsProblem');
      expect(encode(segment).subarray(40, 40 + fromHex(octets).length)).to.deep.equal(fromHex(octets));
    });
  }
});

describe('TCP options that cannot be read to their end', () => {
  // [octets, how many octets of sound options come first, offset of the fault among the octets, what]
  const bad: readonly [string, number, number, string][] = [
    ['01 02 00 00', 1, 2, 'option 2 has length 0, less than its own two octets'],
    ['0402 08 01', 2, 3, 'option 8 has length 1, less than its own two octets'],
    ['010101 08', 3, 3, 'option 8 has no length: the header ends behind its kind'],
    ['020405b4 080a 0000', 4, 5, 'option 8 has length 10, and the header ends after 4 of them'],
    ['fdff f989', 0, 1, 'option 253 has length 255, and the header ends after 4 of them'],
    ['0101 0303', 2, 3, 'option 3 has length 3, and the header ends after 2 of them'],
  ];
  for (const [text, soundOctets, at, what] of bad) {
    it(`leave the segment readable and name the fault: ${what}`, () => {
      const octets = fromHex(text);
      const segment = read(octets);
      expect(segment.optionsProblem).to.deep.equal({
        layer: 'option',
        at: 40 + at,
        what,
        rest: octets.subarray(soundOctets),
      });
      expect(optionsLength(segment.options)).to.equal(soundOctets);
      expect(segment).to.deep.include({
        srcPort: 40000,
        dstPort: 80,
        payload: new TextEncoder().encode('data'),
      });
      expect(encode(segment).subarray(40, 40 + octets.length)).to.deep.equal(octets);
    });
  }
});

describe('TCP options that cannot be sent', () => {
  it('take more than the 40 octets of a header', () => {
    const options: readonly TcpOption[] = [
      { kind: 'md5', digest: new Uint8Array(16) },
      { kind: 'sack', blocks: [block(1, 2), block(3, 4), block(5, 6)] },
    ];
    expect(() => encode(makeSegment({ options }))).to.throw(
      RangeError,
      'the options (md5, sack) take 44 octets and a TCP header has room for 40: leave some out',
    );
  });

  const impossible: readonly [TcpOption, string][] = [
    [{ kind: 'mss', mss: 65536 }, 'the MSS is 65536: the field holds whole numbers from 0 to 65535'],
    [{ kind: 'windowScale', shift: -1 }, 'the window scale is -1'],
    [{ kind: 'timestamps', tsVal: 2 ** 32, tsEcr: 0 }, 'TSval is 4294967296'],
    [{ kind: 'timestamps', tsVal: 0, tsEcr: 0.5 }, 'TSecr is 0.5'],
    [{ kind: 'userTimeout', granularity: 'seconds', timeout: 32768 }, 'the user timeout is 32768'],
    [{ kind: 'unknown', number: 256, data: fromHex('') }, "an unknown option's number is 256"],
    [{ kind: 'unknown', number: 1, data: fromHex('') }, "write 'eol' for 0 and 'nop' for 1"],
  ];
  for (const [option, message] of impossible) {
    it(`have a value that does not fit: ${message}`, () => {
      expect(() => encode(makeSegment({ options: [option] }))).to.throw(RangeError, message);
    });
  }
});
