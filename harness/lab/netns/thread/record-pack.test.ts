import { expect } from 'chai';
import type { FlowFacts } from '../../../fault/index.js';
import type { SegmentRecord } from '../../../wire/index.js';
import { RecordPacker, unpackRecords } from './record-pack.js';

const facts: FlowFacts = {
  flow: 2,
  from: 'server',
  roles: ['data', 'passive-fin'],
  copy: 3,
  original: 4,
  relSeq: -5,
  relAck: undefined,
  len: 6,
  windowOctets: 2 ** 30,
};

const record = (change: Partial<SegmentRecord> = {}): SegmentRecord => ({
  kind: 'segment',
  id: 9,
  atNs: 123_456_789_012_345,
  from: 'server',
  origin: 'endpoint',
  packet: Uint8Array.of(1, 2, 3),
  facts,
  deliveries: [{ atNs: 123_456_789_012_999, to: 'client' }],
  faults: [],
  held: false,
  ...change,
});

function throughPack(...records: readonly SegmentRecord[]): { lab: number; record: SegmentRecord }[] {
  const packer = new RecordPacker();
  records.forEach((each, i) => {
    expect(packer.pack(i, each)).to.equal(true);
  });
  const unpacked: { lab: number; record: SegmentRecord }[] = [];
  unpackRecords(structuredClone(packer.take()), (lab, each) => unpacked.push({ lab, record: each }));
  expect(packer.isEmpty).to.equal(true);
  return unpacked;
}

describe('packed records', () => {
  it('come back as they were', () => {
    const sent = [
      record(),
      record({ id: 10, origin: 'peer', packet: new Uint8Array(0) }),
      record({ id: 11, hook: 'input' }),
      record({ id: 12, hook: 'output' }),
    ];
    expect(throughPack(...sent)).to.deep.equal(sent.map((each, lab) => ({ lab, record: each })));
  });

  it('come back as they were, however many and large they are', () => {
    const sent = Array.from({ length: 500 }, (_, id) =>
      record({ id, packet: new Uint8Array(1500).fill(id) }),
    );
    expect(throughPack(...sent).map((each) => each.record)).to.deep.equal(sent);
  });

  for (const [what, change] of Object.entries<Partial<SegmentRecord>>({
    'what is not TCP': { facts: undefined } as unknown as Partial<SegmentRecord>,
    'what a fault has touched': { faults: [{ fault: 'f', what: 'delayed' }] },
    'what is held': { held: true },
    'what was not delivered': { deliveries: [] },
    'what was delivered twice': { deliveries: [...record().deliveries, ...record().deliveries] },
    'what was delivered changed': { deliveries: [{ atNs: 1, to: 'client', packet: Uint8Array.of(9) }] },
    'what was delivered back': { deliveries: [{ atNs: 1, to: 'server' }] },
    'roles in an unusual order': { facts: { ...facts, roles: ['passive-fin', 'active-fin-ack'] } },
    'roles that count on their own': { facts: { ...facts, parts: [{ role: 'data', copy: 2, original: 1 }] } },
  })) {
    it(`leave ${what} to be sent as an object`, () => {
      expect(new RecordPacker().pack(1, record(change))).to.equal(false);
    });
  }
});
