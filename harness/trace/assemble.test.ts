import { expect } from 'chai';
import type { Recording } from '../lab/index.js';
import type { SegmentRecord } from '../wire/index.js';
import { assemble } from './assemble.js';
import { traceOf } from './fixture.js';
import { segmentsOf } from './query.js';
import type { MarkEvent } from './trace.js';

const META = { scenario: 'a/b', lab: 'netns', ipVersion: 4, endpoints: [] } as const;
const EMPTY: Recording = {
  segments: [],
  transitions: [],
  notes: [],
  calls: [],
  receipts: [],
  eyes: [],
  epochUnixNs: '1700000000000000000',
  alignment: { segmentsErrorNs: 1, transitionsErrorNs: 2 },
};
const packet = segmentsOf(traceOf('client SYN'))[0]?.packet ?? new Uint8Array();

const segment = (atNs: number, id = 1): SegmentRecord => ({
  kind: 'segment',
  id,
  atNs,
  from: 'client',
  origin: 'endpoint',
  packet,
  deliveries: [{ atNs: atNs + 7, to: 'server' }],
  faults: [],
  held: false,
});
const address = { ip: '10.0.0.1', port: 1 };
const at = { side: 'client', local: address, remote: address } as const;
const transition = (atNs: number, notBeforeNs?: number) =>
  ({
    kind: 'transition',
    atNs,
    ...at,
    from: 'CLOSED',
    to: 'SYN-SENT',
    eye: 'sock_diag',
    certainty: 'bounded',
    ...(notBeforeNs === undefined ? {} : { notBeforeNs }),
  }) as const;
const call = (atNs: number) =>
  ({
    kind: 'call',
    atNs,
    returnedNs: atNs + 9,
    side: 'client',
    call: 'connect',
    socket: 1,
    args: {},
    result: { kind: 'ok' },
  }) as const;
const note = (atNs: number) =>
  ({ kind: 'note', atNs, ...at, what: 'tcp_retransmit_skb', detail: {}, eye: 'tracepoint' }) as const;
const mark = (atNs: number): MarkEvent => ({ kind: 'mark', atNs, text: 'now' });

describe('assemble', () => {
  it('merges all sources in the order of their stamps', () => {
    const recording = {
      ...EMPTY,
      segments: [segment(140), segment(120, 2)],
      transitions: [transition(130)],
      notes: [note(135)],
      calls: [call(110)],
    };
    const trace = assemble(recording, { ...META, marks: [mark(105)] });
    expect(trace.events.map(({ kind, atNs }) => `${kind} ${atNs}`)).to.deep.equal([
      'mark 0',
      'call 5',
      'segment 15',
      'transition 25',
      'note 30',
      'segment 35',
    ]);
  });

  it('puts causes before effects at one and the same stamp, and equals as they were recorded', () => {
    const recording = {
      ...EMPTY,
      segments: [segment(100, 1), segment(100, 2)],
      transitions: [transition(100)],
      notes: [note(100)],
      calls: [call(100)],
    };
    const { events } = assemble(recording, { ...META, marks: [mark(100)] });
    expect(events.map(({ kind }) => kind)).to.deep.equal([
      'mark',
      'call',
      'note',
      'transition',
      'segment',
      'segment',
    ]);
    expect(events.flatMap((event) => (event.kind === 'segment' ? [event.id] : []))).to.deep.equal([1, 2]);
  });

  it('starts the clock at the first event, and shifts every stamp by the same', () => {
    const recording = {
      ...EMPTY,
      segments: [segment(2000)],
      transitions: [transition(1500, 1000)],
      calls: [call(1600)],
    };
    const trace = assemble(recording, META);
    expect(trace.startedAtUnixNs).to.equal('1700000000000001500');
    expect(trace.events).to.deep.equal([
      { ...transition(0, -500) },
      { ...call(100) },
      { ...segment(500), segment: decodedOf(trace.events[2]) },
    ]);
  });

  it('decodes what is TCP, and keeps what is not', () => {
    const foreign = { ...segment(1, 2), packet: Uint8Array.of(1, 2, 3) };
    const { events } = assemble({ ...EMPTY, segments: [segment(0), foreign] }, META);
    expect(events[0]).to.have.nested.property('segment.srcPort', 40001);
    expect(events[1]).to.not.have.property('segment');
  });

  it('makes a trace of nothing', () => {
    expect(assemble(EMPTY, META))
      .to.include({ startedAtUnixNs: '1700000000000000000' })
      .and.to.have.property('events').that.is.empty;
  });
});

const decodedOf = (event: unknown): unknown =>
  typeof event === 'object' && event !== null && 'segment' in event ? event.segment : undefined;
