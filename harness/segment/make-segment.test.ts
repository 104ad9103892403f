import { expect } from 'chai';
import { decode, encode } from './codec.js';
import { describeSegment } from './describe.js';
import { fromHex } from './hex.js';
import { makeSegment } from './make-segment.js';
import { option, segLen } from './measure.js';
import { FLAG } from './segment.js';
import { seqNumber } from './sequence.js';

describe('a segment made from few fields', () => {
  it('is a bare ACK between two documentation addresses when nothing is said', () => {
    expect(describeSegment(makeSegment())).to.equal('ACK seq=0 ack=0 win=65535 len=0');
    expect(makeSegment().ip).to.deep.include({ version: 4, src: '192.0.2.1', dst: '192.0.2.2', ttl: 64 });
    expect(decode(encode(makeSegment()))).to.deep.include({ checksumOk: { ip: true, tcp: true } });
  });

  it('takes flags as text, sequence numbers across the wrap and data as text', () => {
    const segment = makeSegment({ flags: 'FIN,ACK', seq: 0xffffffff + 1, ack: -1, payload: 'é' });
    expect(segment.flags).to.equal(FLAG.FIN | FLAG.ACK);
    expect([segment.seq, segment.ack]).to.deep.equal([0, 0xffffffff]);
    expect(segment.payload).to.deep.equal(fromHex('c3a9'));
  });

  it('is of the version of its addresses', () => {
    expect(makeSegment({ dst: '2001:db8::9' }).ip).to.deep.include({
      version: 6,
      src: '2001:db8::1',
      dst: '2001:db8::9',
    });
    expect(makeSegment({ ip: { version: 6 } }).ip).to.deep.include({
      version: 6,
      dst: '2001:db8::2',
      nextHeader: 6,
    });
    const { ip } = makeSegment({ src: '10.0.0.1', dst: '10.0.0.2', ip: { ttl: 1 } });
    expect(makeSegment({ ip }).ip).to.deep.equal(ip);
  });

  it('takes octets for options, sound or not', () => {
    const segment = makeSegment({ options: fromHex('020405b4 0800 0000') });
    expect(segment.options).to.deep.equal([{ kind: 'mss', mss: 1460 }]);
    expect(segment.optionsProblem).to.deep.include({ at: 45, rest: fromHex('08000000') });
    expect(describeSegment(segment)).to.equal(
      'ACK seq=0 ack=0 win=65535 len=0 mss=1460 (option 8 has length 0, less than its own two octets)',
    );
  });

  it('refuses what cannot be put into a header, by name', () => {
    expect(() => makeSegment({ options: fromHex('01') })).to.throw(
      RangeError,
      '1 octets of options were given',
    );
    expect(() => makeSegment({ flags: 'SYNACK' })).to.throw(
      RangeError,
      '"SYNACK" in "SYNACK" is no TCP flag',
    );
    expect(() => makeSegment({ seq: 1.5 })).to.throw(
      RangeError,
      'the sequence number is 1.5: give a whole number',
    );
  });
});

describe('SEG.LEN', () => {
  for (const [flags, payload, length] of [
    ['ACK', '', 0],
    ['SYN', '', 1],
    ['FIN,ACK', '', 1],
    ['SYN', 'data', 5],
    ['SYN,FIN', 'data', 6],
    ['PSH,ACK', 'data', 4],
  ] as const) {
    it(`of ${flags} with ${payload.length} octets of data is ${length}`, () => {
      expect(segLen(makeSegment({ flags, payload }))).to.equal(length);
    });
  }
});

describe('an option asked for by kind', () => {
  const segment = makeSegment({
    options: [{ kind: 'nop' }, { kind: 'mss', mss: 536 }, { kind: 'mss', mss: 1460 }],
  });
  it('is the first of that kind', () => {
    expect(option(segment, 'mss')?.mss).to.equal(536);
  });
  it('is undefined when there is none', () => {
    expect(option(segment, 'timestamps')).to.equal(undefined);
  });
});

describe('a segment described', () => {
  it('has relative numbers where they are known', () => {
    const segment = makeSegment({ flags: 'FIN,ACK', seq: 1004, ack: 5001, window: 502 });
    expect(describeSegment(segment, { relSeq: 5, relAck: 1 })).to.equal('FIN,ACK seq=5 ack=1 win=502 len=0');
    expect(describeSegment(segment, { relSeq: 5, relAck: undefined })).to.equal(
      'FIN,ACK seq=5 ack=5001 win=502 len=0',
    );
  });

  it('leaves out an acknowledgment number that is not in force', () => {
    expect(describeSegment(makeSegment({ flags: 'RST', ack: 7 }))).to.equal('RST seq=0 win=65535 len=0');
  });

  it('counts SACK blocks from the same number as the acknowledgment, across the wrap too', () => {
    const blocks = [{ left: seqNumber(0xffffffff), right: seqNumber(9) }];
    const segment = makeSegment({ ack: 0xfffffff0, options: [{ kind: 'sack', blocks }] });
    expect(describeSegment(segment, { relAck: 11 })).to.contain('ack=11 win=65535 len=0 sack=26-36');
  });

  it('tells what is wrong with an option', () => {
    const segment = makeSegment({ options: fromHex('02030500'), flags: 'none' });
    expect(describeSegment(segment)).to.equal(
      'none seq=0 win=65535 len=0 (option 2 has length 3 instead of 4)',
    );
  });

  it('names a request for a fast open cookie', () => {
    const segment = makeSegment({ options: [{ kind: 'fastOpen', cookie: new Uint8Array(0) }] });
    expect(describeSegment(segment)).to.match(/ tfo=request$/);
  });
});
