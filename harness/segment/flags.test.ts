import { expect } from 'chai';
import fc from 'fast-check';
import { flagsText, hasFlags, parseFlags } from './flags.js';
import { FLAG } from './segment.js';

describe('flags', () => {
  const texts: readonly [number, string][] = [
    [0, 'none'],
    [0x002, 'SYN'],
    [0x012, 'SYN,ACK'],
    [0x011, 'FIN,ACK'],
    [0x019, 'FIN,PSH,ACK'],
    [0x014, 'RST,ACK'],
    [0x1ff, 'FIN,SYN,RST,PSH,ACK,URG,ECE,CWR,AE'],
    [0x802, 'SYN,0x800'],
    [0xe00, '0xe00'],
  ];
  for (const [flags, text] of texts) {
    it(`are written ${text} and read again`, () => {
      expect(flagsText(flags)).to.equal(text);
      expect(parseFlags(text)).to.equal(flags);
    });
  }

  it('are read in any order, case and separation', () => {
    for (const text of ['ACK,SYN', 'syn, ack', 'SYN+ACK', 'SYN|ACK', ' Syn Ack ']) {
      expect(parseFlags(text), text).to.equal(FLAG.SYN | FLAG.ACK);
    }
    expect(parseFlags('')).to.equal(0);
  });

  it('survive a round trip in every combination of the twelve bits', () => {
    fc.assert(
      fc.property(fc.nat(0xfff), (flags) => {
        expect(parseFlags(flagsText(flags))).to.equal(flags);
      }),
    );
  });

  for (const [text, word] of [
    ['SIN,ACK', 'SIN'],
    ['SYN,toString', 'toString'],
    ['SYN,0x1', '0x1'],
    ['0x1000', '0x1000'],
    ['SYN;ACK', 'SYN;ACK'],
  ]) {
    it(`refuse "${text}", naming ${word} and the flags there are`, () => {
      const message = `"${word}" in "${text}" is no TCP flag: the flags are FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE`;
      expect(() => parseFlags(text ?? '')).to.throw(RangeError, message);
    });
  }

  it('are found when all that are wanted are set', () => {
    const flags = FLAG.FIN | FLAG.ACK | FLAG.PSH;
    expect(hasFlags({ flags }, FLAG.FIN | FLAG.ACK)).to.equal(true);
    expect(hasFlags({ flags }, FLAG.FIN | FLAG.RST)).to.equal(false);
  });
});
