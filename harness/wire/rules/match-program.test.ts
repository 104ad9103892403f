import { expect } from 'chai';
import fc from 'fast-check';
import { type Arrival, FlowTracker, type Match, Matcher } from '../../fault/index.js';
import { decode, encode, makeSegment, type Segment } from '../../segment/index.js';
import type { Term } from './atom.js';
import { bytecode, type Instruction } from './cbpf.js';
import { runProgram } from './cbpf-machine.fixture.js';
import { formulaOf } from './formula.js';
import { matchProgram, ProgramTooLarge } from './match-program.js';
import { directionsOf, type IpVersion } from './place.js';
import { match, option, words } from './stateless.fixture.js';
import { TooManyTerms, termsOf } from './terms.js';
import { windowRefusal, withRawWindows } from './window.js';

/** Segments that such matches are true of now and then; options may be any octets, sound or not. */
const segment: fc.Arbitrary<Segment> = fc
  .record({
    version: fc.constantFrom(4, 6),
    ipOptions: words(10),
    flags: fc.oneof(fc.constantFrom(0x002, 0x012, 0x010, 0x018, 0x011, 0x004, 0x014), fc.nat(0xfff)),
    window: fc.constantFrom(0, 1, 77),
    payload: fc.uint8Array({ min: 0, max: 2, maxLength: 12 }),
    options: fc.oneof(words(10, 9), words(10, 35), fc.array(option, { maxLength: 3 })),
  })
  .map(({ version, ipOptions, ...rest }) =>
    makeSegment(
      version === 4
        ? { src: '192.0.2.1', ip: { options: ipOptions }, ...rest }
        : { src: '2001:db8::1', ...rest },
    ),
  );

/** What the packet is, as who receives it has it. */
function arrivalOf(segmentSent: Segment): Arrival {
  const packet = encode(segmentSent);
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error('no segment');
  return { id: 1, atNs: 0, from: 'client', packet, segment: decoded.segment };
}

const ETHERNET = 14;
function framed(packet: Uint8Array, version: IpVersion): Uint8Array {
  const frame = new Uint8Array(ETHERNET + packet.length);
  new DataView(frame.buffer).setUint16(12, version === 4 ? 0x0800 : 0x86dd);
  frame.set(packet, ETHERNET);
  return frame;
}

const place = { side: 'server', port: 80 } as const;

/** Undefined where there are too many. */
function alternativesOf(asked: Match): readonly Term[] | undefined {
  try {
    return termsOf(formulaOf(asked, (part, why) => expect.fail(`${part}: ${why}`)));
  } catch (error) {
    if (error instanceof TooManyTerms) return undefined;
    throw error;
  }
}

/** Undefined where it is too large for any kernel. */
function programOf(terms: readonly Term[]): readonly Instruction[] | undefined {
  try {
    const directions = directionsOf(place);
    return matchProgram(terms, { base: ETHERNET, versions: [4, 6], directions, yes: 2, no: 1 });
  } catch (error) {
    if (error instanceof ProgramTooLarge) return undefined;
    throw error;
  }
}

describe('a program of classic BPF', () => {
  it('picks of any segments those that the matcher picks', () => {
    let picked = 0;
    fc.assert(
      fc.property(match, fc.array(segment, { minLength: 1, maxLength: 8 }), (asked, segments) => {
        const terms = alternativesOf(asked);
        fc.pre(terms !== undefined);
        fc.pre(terms.every((term) => windowRefusal(term) === undefined));
        const raw = terms.map(withRawWindows).filter((term) => term !== undefined);
        // A search needs to know how far.
        const bounded = raw.map((term) => [
          ...term,
          { atom: { kind: 'length', ranges: [{ from: 0, to: 12 }] }, isNegated: false } as const,
        ]);
        const program = programOf(bounded);
        fc.pre(program !== undefined);
        for (const each of segments) {
          const arrival = arrivalOf(each);
          const matches = new Matcher(asked).test(arrival, new FlowTracker().arrive(arrival));
          const frame = framed(arrival.packet, each.ip.version);
          // Nothing else is known to be beyond the packet: a read there would say 0.
          expect(runProgram(program, frame)).to.equal(matches ? 2 : 1);
          if (matches) picked += 1;
        }
      }),
      { numRuns: 400 },
    );
    expect(picked).to.be.above(50);
  });

  for (const version of [4, 6] as const)
    it(`fits the 64 instructions of iptables, without a frame, for IPv${version}`, () => {
      const terms = termsOf(
        formulaOf({ role: 'pure-ack', window: 0, flags: { none: ['AE', 'URG'] } }, () => {}),
      );
      const program = matchProgram(terms, { base: 0, versions: [version], yes: 1, no: 0 });
      expect(program.length).to.be.at.most(64);
      const say = (flagsSaid: string, payload = '') =>
        encode(
          makeSegment({
            src: version === 4 ? '192.0.2.1' : '2001:db8::1',
            flags: flagsSaid,
            window: 0,
            payload,
          }),
        );
      expect(runProgram(program, say('ACK'))).to.equal(1);
      expect(runProgram(program, say('ACK', 'x'))).to.equal(0);
      expect(runProgram(program, say('SYN,ACK'))).to.equal(0);
      expect(runProgram(program, say('ACK,URG'))).to.equal(0);
    });

  it('tells the sides apart by address and port, and lets pass what is neither', () => {
    const ends = { side: 'server', client: '192.0.2.1', server: '192.0.2.2', port: 80 } as const;
    const program = matchProgram(termsOf(formulaOf({ sender: 'server' }, () => {})), {
      base: 0,
      versions: [4],
      directions: directionsOf(ends),
      yes: 1,
      no: 0,
    });
    const back = { src: '192.0.2.2', dst: '192.0.2.1', srcPort: 80, dstPort: 40000 };
    expect(runProgram(program, encode(makeSegment(back)))).to.equal(1);
    expect(runProgram(program, encode(makeSegment()))).to.equal(0);
    expect(runProgram(program, encode(makeSegment({ ...back, srcPort: 81 })))).to.equal(0);
    expect(runProgram(program, encode(makeSegment({ ...back, src: '192.0.2.3' })))).to.equal(0);
  });

  it('leaves fragments alone, which have no header that could be read', () => {
    const program = matchProgram([[]], { base: 0, versions: [4], yes: 1, no: 0 });
    const packet = encode(makeSegment());
    expect(runProgram(program, packet)).to.equal(1);
    packet[6] = 0x20;
    expect(runProgram(program, packet)).to.equal(0);
  });

  it('refuses a search that it has no room for, and says what to do', () => {
    const terms = termsOf(formulaOf({ payload: { contains: 'GET' } }, () => {}));
    expect(() => matchProgram(terms, { base: 14, versions: [4], yes: 1, no: 0 })).to.throw(
      'say how long the data is',
    );
  });

  it('is short where little is asked', () => {
    const terms = termsOf(formulaOf({ role: 'syn' }, () => {}));
    const program = matchProgram(terms, { base: 0, versions: [4], yes: 1, no: 0 });
    expect(bytecode(program)).to.equal(
      '15,48 0 0 9,21 0 11 6,40 0 0 6,69 9 0 16383,177 0 0 0,40 0 0 2,2 0 0 4,3 0 0 0,97 0 0 0,72 0 0 12,84 0 0 22,21 0 1 2,5 0 0 1,6 0 0 0,6 0 0 1',
    );
  });
});
