/**
 * Traces written by hand, for tests. Packets are encoded and followed by the real flow tracker, and the trace is
 * assembled as a lab's recording is: a fixture can say what happened, but not what it is called.
 */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { CallRecord, TcpState } from '../endpoint/index.js';
import { type FlowFacts, FlowTracker, otherSide, type Receipt, type Side } from '../fault/index.js';
import type { TransitionRecord } from '../observe/index.js';
import {
  encode,
  FLAG,
  makeSegment,
  type Segment,
  type SeqNumber,
  segLen,
  seqAdd,
  seqDiff,
  seqNumber,
} from '../segment/index.js';
import type { Delivery, SegmentRecord } from '../wire/index.js';
import { assemble } from './assemble.js';
import { type Line, parseLine, type SegmentLine, type StateLine, type When } from './fixture-line.js';
import { callRecord, deliveryTimes, faultMark } from './fixture-records.js';
import type { MarkEvent, Trace } from './trace.js';

export interface FixtureOptions {
  readonly scenario?: string;
  readonly lab?: string;
  readonly ipVersion?: 4 | 6;
  readonly stack?: string;
  readonly settings?: Trace['settings'];
  /** One-line texts of faults by id, for the receipts; those that no line mentions have matched nothing. */
  readonly faults?: Readonly<Record<string, string>>;
}

/**
 * A trace of these lines, one event each, in order:
 *
 *     traceOf(
 *       'server LISTEN',                       a state; also 'client TIME-WAIT bounded 5', 'client CLOSED inferred 20'
 *       'client connect()',                    a call; also 'client send(5)', 'client receive() = end', '… = ECONNRESET took 3'
 *       'client SYN',                          a segment: numbers follow from what was sent and delivered before
 *       'server SYN,ACK',
 *       'client ACK "hello" win=0',            data; or data=1000; seq= and ack= (relative) override
 *       'mark now it closes',
 *       '@10 client FIN,ACK, dropped by f1',   at 10 ms; lost, dropped, held, delayed 300, duplicated, rewritten, injected
 *       '+200 client FIN,ACK again',           200 ms later; the same segment once more
 *       'server#2 RST peer [rst] copy=1',      another connection; sent by a scripted peer; roles and copy by decree
 *     )
 *
 * Without `@` or `+` a line comes 0.1 ms after the one before; a segment is delivered 0.05 ms after it was sent.
 */
export function traceOf(...lines: readonly string[]): Trace {
  return traceWith({}, ...lines);
}

export function traceWith(options: FixtureOptions, ...lines: readonly string[]): Trace {
  const fixture = new Fixture(options);
  for (const line of lines) fixture.add(parseLine(line));
  return fixture.trace();
}

const STEP_MS = 0.1;
/** The lab's clock does not begin with the run. */
const LAB_START_NS = 5_000_000_000;
/** Both wrap within the first octets, as every test should have it. */
const ISS: Readonly<Record<Side, SeqNumber>> = {
  client: seqNumber(0xfffffffe),
  server: seqNumber(0x7ffffffe),
};
const SERVER_PORT = 80;
const CLIENT_PORT = 40_000;
const IPS = {
  4: { client: '10.0.0.1', server: '10.0.0.2' },
  6: { client: 'fd00::1', server: 'fd00::2' },
} as const;

/** What a side of a connection has sent and been given, in numbers relative to the ISSs. */
interface Half {
  next: number;
  expects: number | undefined;
  readonly sent: Segment[];
}

class Fixture {
  readonly #segments: SegmentRecord[] = [];
  readonly #transitions: TransitionRecord[] = [];
  readonly #calls: CallRecord[] = [];
  readonly #marks: MarkEvent[] = [];
  readonly #marked = new Map<string, number[]>();
  readonly #tracker = new FlowTracker();
  readonly #halves = new Map<string, Half>();
  readonly #states = new Map<string, TcpState>();
  readonly #underWay: {
    readonly atNs: Nanos;
    readonly to: Side;
    readonly segment: Segment;
    readonly connection: number;
  }[] = [];
  #nowMs: number | undefined;

  readonly #ipVersion: 4 | 6;

  constructor(private readonly options: FixtureOptions) {
    this.#ipVersion = options.ipVersion ?? 4;
  }

  add(line: Line): void {
    const atNs = this.#time(line.when);
    this.#deliverUntil(atNs);
    if (line.kind === 'mark') this.#marks.push({ kind: 'mark', atNs, text: line.text });
    else if (line.kind === 'call') this.#calls.push(callRecord(line, atNs));
    else if (line.kind === 'state') this.#transitions.push(this.#transition(line, atNs));
    else this.#send(line, atNs);
  }

  trace(): Trace {
    const {
      scenario = 'fixture/by-hand',
      lab = 'fixture',
      ipVersion = 4,
      stack = 'linux@6.1',
      settings = {},
    } = this.options;
    const recording = {
      segments: this.#segments,
      transitions: this.#transitions,
      notes: [],
      calls: this.#calls,
      receipts: this.#receipts(),
      eyes: ['tracepoint'] as const,
      epochUnixNs: '1700000000000000000',
      alignment: { segmentsErrorNs: 1000, transitionsErrorNs: 1000 },
    };
    const endpoints = (['client', 'server'] as const).map((side) => ({
      side,
      stack,
      ip: IPS[ipVersion][side],
    }));
    return assemble(recording, { scenario, lab, ipVersion, endpoints, settings, marks: this.#marks });
  }

  #time(when: When | undefined): Nanos {
    const before = this.#nowMs;
    if (when !== undefined && 'atMs' in when) this.#nowMs = when.atMs;
    else this.#nowMs = before === undefined ? (when?.afterMs ?? 0) : before + (when?.afterMs ?? STEP_MS);
    return LAB_START_NS + Math.round(this.#nowMs * NANOS_PER_MS);
  }

  #transition({ side, connection, state, certainty, boundMs }: StateLine, atNs: Nanos): TransitionRecord {
    const isListener = state === 'LISTEN';
    const key = `${side} ${connection}`;
    const from = this.#states.get(key) ?? (state === 'SYN-RECEIVED' ? 'LISTEN' : 'CLOSED');
    if (!isListener) this.#states.set(key, state);
    return {
      kind: 'transition',
      atNs,
      side,
      local: this.#address(side, connection),
      remote: isListener ? { ip: '0.0.0.0', port: 0 } : this.#address(otherSide(side), connection),
      from,
      to: state,
      certainty,
      eye: certainty === 'exact' ? 'tracepoint' : 'sock_diag',
      ...(boundMs === undefined ? {} : { notBeforeNs: atNs - Math.round(boundMs * NANOS_PER_MS) }),
    };
  }

  #address(side: Side, connection: number) {
    const port = side === 'server' ? SERVER_PORT : CLIENT_PORT + connection;
    return { ip: IPS[this.#ipVersion][side], port };
  }

  #half(side: Side, connection: number): Half {
    const key = `${side} ${connection}`;
    const half = this.#halves.get(key) ?? { next: 0, expects: undefined, sent: [] };
    this.#halves.set(key, half);
    return half;
  }

  #send(line: SegmentLine, atNs: Nanos): void {
    const id = this.#segments.length + 1;
    const { side, connection, fate } = line;
    const segment = this.#segment(line);
    const packet = encode(segment);
    const arrival = { id, atNs, from: side, packet, segment };
    const isForged = fate?.kind === 'injected';
    const facts = factsOf(isForged ? this.#tracker.look(arrival) : this.#tracker.arrive(arrival), line);
    const to = otherSide(side);
    const deliveries = deliveryTimes(fate, atNs).map((at): Delivery => {
      const rewritten = fate?.kind === 'rewritten' ? { packet: encode({ ...segment, window: 0 }) } : {};
      return { atNs: at, to, ...rewritten };
    });
    for (const delivery of deliveries) this.#underWay.push({ atNs: delivery.atNs, to, segment, connection });
    const faults = fate?.fault === undefined ? [] : [faultMark(fate, fate.fault)];
    for (const { fault } of faults) this.#marked.set(fault, [...(this.#marked.get(fault) ?? []), id]);
    const held = fate?.kind === 'held' && fate.afterMs === undefined;
    this.#segments.push({
      kind: 'segment',
      id,
      atNs,
      from: side,
      origin: fate?.kind === 'injected' ? 'fault' : line.origin,
      packet,
      facts,
      deliveries,
      faults,
      held,
    });
  }

  #segment({ side, connection, flags, again, payload, numbers }: SegmentLine): Segment {
    const half = this.#half(side, connection);
    const earlier = again ? half.sent.findLast((sent) => sent.flags === flags) : undefined;
    const relSeq = numbers.seq ?? half.next;
    const isAck = (flags & FLAG.ACK) !== 0;
    const ack = isAck ? seqAdd(ISS[otherSide(side)], numbers.ack ?? half.expects ?? 0) : 0;
    const segment = makeSegment({
      src: IPS[this.#ipVersion][side],
      dst: IPS[this.#ipVersion][otherSide(side)],
      srcPort: this.#address(side, connection).port,
      dstPort: this.#address(otherSide(side), connection).port,
      seq: earlier?.seq ?? seqAdd(ISS[side], relSeq),
      ack,
      flags,
      window: numbers.win ?? 64240,
      urgentPointer: numbers.urg ?? 0,
      options: (flags & FLAG.SYN) === 0 ? [] : [{ kind: 'mss', mss: 1460 }],
      payload: payload ?? earlier?.payload ?? '',
    });
    half.sent.push(segment);
    if (earlier === undefined) half.next = Math.max(half.next, relSeq + segLen(segment));
    return segment;
  }

  #deliverUntil(nowNs: Nanos): void {
    this.#underWay.sort((a, b) => a.atNs - b.atNs);
    for (let next = this.#underWay[0]; next !== undefined && next.atNs <= nowNs; next = this.#underWay[0]) {
      this.#underWay.shift();
      this.#tracker.delivered(next.segment, next.to);
      const half = this.#half(next.to, next.connection);
      const relSeq = seqDiff(next.segment.seq, ISS[otherSide(next.to)]);
      const end = relSeq + segLen(next.segment);
      if (relSeq <= (half.expects ?? relSeq)) half.expects = Math.max(half.expects ?? 0, end);
    }
  }

  #receipts(): Receipt[] {
    const ids = new Set([...Object.keys(this.options.faults ?? {}), ...this.#marked.keys()]);
    return [...ids].map((fault) => {
      const arrivals = this.#marked.get(fault) ?? [];
      const text = this.options.faults?.[fault] ?? fault;
      return { fault, text, matched: arrivals.length, acted: arrivals.length, arrivals };
    });
  }
}

/** The tracker's facts, but for what the line decrees. */
function factsOf(facts: FlowFacts, { roles, numbers }: SegmentLine): FlowFacts {
  return { ...facts, roles: roles ?? facts.roles, copy: numbers.copy ?? facts.copy };
}
