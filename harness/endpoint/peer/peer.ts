/**
 * The scripted peer: an endpoint made of segments. A script sends partial segments, whose absent fields get sensible
 * defaults, and expects partial segments, whose absent fields may be anything. The peer never answers by itself.
 */
import {
  type Clock,
  type Duration,
  durationMs,
  durationText,
  NANOS_PER_MS,
  type Nanos,
} from '../../clock/index.js';
import {
  decode,
  FLAG,
  hasFlags,
  type Segment,
  type SeqNumber,
  segLen,
  seqDiff,
  seqNumber,
} from '../../segment/index.js';
import type { PeerPort } from '../peer-port.js';
import { Arrivals, type Arrived } from './arrivals.js';
import { compareSegment } from './compare-segment.js';
import { ExpectationFailed, expectationText } from './expectation-failed.js';
import type { ExpectedSegment } from './expected-segment.js';
import { type FieldComparison, row } from './field-comparison.js';
import type { OutgoingOptions, OutgoingSegment } from './outgoing-segment.js';
import { PeerLog, type PeerRecord, type Relative } from './peer-log.js';
import type {
  AcceptOptions,
  ConnectOptions,
  ExpectOptions,
  PeerOptions,
  SendOptions,
} from './peer-options.js';
import { PeerState } from './peer-state.js';
import { buildSegment, encodeOutgoing } from './segment-builder.js';
import { type SeqRef, type SeqSpace, SequencePoints } from './sequence-points.js';
import { isSkipped } from './skip.js';

const WITHIN_MS = 5000;
const FIRST_PORT = 40000;
const ISS_TICK_NS = 4000;
const WINDOW = 65535;

export class Peer {
  readonly ip: string;
  readonly remoteIp: string;
  readonly #port: PeerPort;
  readonly #clock: Clock;
  readonly #options: PeerOptions;
  readonly #arrivals: Arrivals;
  readonly #points: SequencePoints;
  readonly #log = new PeerLog();
  /** Port pairs of the connections before. */
  readonly #former = new Set<string>();
  #state = new PeerState();
  #localPort: number | undefined;
  #remotePort: number | undefined;
  #offer: OutgoingOptions;

  constructor(port: PeerPort, options: PeerOptions = {}) {
    this.ip = port.ip;
    this.remoteIp = port.remoteIp;
    this.#port = port;
    this.#clock = port.clock;
    this.#options = options;
    this.#localPort = options.port;
    this.#remotePort = options.remotePort;
    this.#offer = options.offer ?? { mss: port.ip.includes(':') ? 1440 : 1460 };
    this.#arrivals = new Arrivals(port.clock);
    this.#points = new SequencePoints(() => this.#state, options.numbers ?? 'absolute');
    port.onPacket((packet, atNs) => this.#onPacket(packet, atNs));
  }

  /** What it has sent and what has reached it so far, in order. */
  get log(): readonly PeerRecord[] {
    return this.#log.records;
  }

  /** What it remembers of the connection: `sndNxt`, `rcvNxt`, what was negotiated. */
  get state(): Readonly<PeerState> {
    return this.#state;
  }

  get localPort(): number | undefined {
    return this.#localPort;
  }

  get remotePort(): number | undefined {
    return this.#remotePort;
  }

  /** The sequence number that a reference stands for: `peer.seq('iss+1')`. */
  seq(reference: SeqRef, space: SeqSpace = 'own'): SeqNumber {
    return this.#points.resolve(reference, space);
  }

  /** Names a sequence number: `peer.point('hole', 'sndNxt+100')`. */
  point(name: string, at: SeqRef, space: SeqSpace = 'own'): SeqNumber {
    const number = this.seq(at, space);
    this.#points.name(name, number);
    return number;
  }

  /** Sends a segment; what is left out gets a sensible default. Returns what was sent. */
  send(outgoing: OutgoingSegment = {}, { as }: SendOptions = {}): Segment {
    this.#localPort = outgoing.srcPort ?? this.#localPort ?? FIRST_PORT;
    this.#remotePort = outgoing.dstPort ?? this.#remotePort;
    if (this.#remotePort === undefined) {
      throw new Error('the peer knows no port to send to: give dstPort, or open with connect({ port })');
    }
    const segment = buildSegment(outgoing, {
      src: this.ip,
      dst: this.remoteIp,
      srcPort: this.#localPort,
      dstPort: this.#remotePort,
      window: this.#options.window ?? WINDOW,
      offer: this.#offer,
      initial: seqNumber(this.#options.iss ?? Math.floor(this.#clock.now() / ISS_TICK_NS)),
      state: this.#state,
      points: this.#points,
      clock: this.#clock,
    });
    const packet = encodeOutgoing(segment, outgoing.checksum);
    this.#state.onSent(segment);
    if (as !== undefined) this.#points.name(as, segment.seq, segLen(segment));
    this.#log.sent(this.#clock.now(), segment, this.#relative(segment, 'sent'));
    this.#port.send(packet);
    return segment;
  }

  /** Puts an IP packet onto the wire as it stands. The peer takes no note of what it carries. */
  sendPacket(packet: Uint8Array): void {
    this.#port.send(packet);
  }

  /** Sends a bare ACK of all that the script has taken, or of what is before `reference`. */
  ack(reference: SeqRef = 'rcvNxt'): Segment {
    return this.send({ flags: 'ACK', ack: reference });
  }

  /** Sends a RST at `sndNxt`. */
  reset(): Segment {
    return this.send({ flags: 'RST' });
  }

  /**
   * Takes the next segment and compares it with what is expected. Rejects with `ExpectationFailed`, which shows what
   * did arrive, when it differs or nothing comes.
   */
  async expect(expected: ExpectedSegment = {}, options: ExpectOptions = {}): Promise<Arrived> {
    const withinMs = durationMs(options.within ?? this.#options.within ?? WITHIN_MS);
    const previousNs = this.#log.lastNs;
    const arrived = await this.#next(withinMs, options.skip);
    if (arrived === undefined) {
      const what = `nothing came within ${durationText(withinMs)}; expected ${expectationText(expected)}`;
      throw new ExpectationFailed({ what, fields: [], history: this.#log.history() });
    }
    const { segment } = arrived;
    const fields = [
      ...compareSegment(expected, segment, this.#points.reading(segment)),
      ...compareTime(options.notBefore, previousNs, arrived.atNs),
    ];
    if (fields.some(({ matches }) => !matches)) {
      throw this.#mismatch('the segment that arrived is not the one expected', fields, arrived);
    }
    this.#take(arrived);
    if (options.as !== undefined) this.#points.name(options.as, segment.seq, segLen(segment));
    return arrived;
  }

  /** Waits, and rejects with `ExpectationFailed` if a segment comes or has come that is not passed over. */
  async expectNothing(options: { for: Duration; skip?: ExpectOptions['skip'] }): Promise<void> {
    const ms = durationMs(options.for);
    const arrived = await this.#next(ms, options.skip);
    if (arrived === undefined) return;
    throw this.#mismatch(`expected nothing to come for ${durationText(ms)}`, [], arrived);
  }

  /** Opens actively: SYN, expects SYN,ACK, sends ACK. Begins anew. */
  async connect({ port, fromPort, offer, ...wait }: ConnectOptions): Promise<void> {
    this.forget();
    const nextPort = this.#localPort === undefined ? FIRST_PORT : this.#localPort + 1;
    this.#localPort = fromPort ?? this.#options.port ?? nextPort;
    this.#remotePort = port;
    this.#offer = offer ?? this.#offer;
    this.send({ flags: 'SYN' });
    await this.expect({ flags: 'SYN,ACK', ack: 'iss+1' }, wait);
    this.ack();
  }

  /** Opens passively: expects SYN, sends SYN,ACK, expects the ACK (which may carry data). Begins anew. */
  async accept({ offer, ...wait }: AcceptOptions = {}): Promise<void> {
    this.forget();
    this.#remotePort = this.#options.remotePort;
    this.#offer = offer ?? this.#offer;
    await this.expect({ flags: 'SYN' }, wait);
    this.send({ flags: 'SYN,ACK' });
    await this.expect({ flags: 'ACK', seq: 'irs+1', ack: 'iss+1' }, wait);
  }

  /** Brings a connection to ESTABLISHED: actively when a port is given, else passively. */
  establish(options: ConnectOptions | AcceptOptions = {}): Promise<void> {
    return 'port' in options ? this.connect(options) : this.accept(options);
  }

  /** Sends a FIN and expects its ACK, which may carry the other side's FIN, too. */
  async shutdown(wait: Pick<ExpectOptions, 'within' | 'skip'> = {}): Promise<void> {
    this.send({ flags: 'FIN,ACK' });
    await this.expect({ flags: { has: 'ACK', not: 'SYN,RST' }, ack: 'sndNxt' }, wait);
  }

  /** Closes both directions: FIN, its ACK, the other side's FIN unless it has come before, and the ACK of that. */
  async close(wait: Pick<ExpectOptions, 'within' | 'skip'> = {}): Promise<void> {
    const isPassive = this.#state.isFinReceived;
    await this.shutdown(wait);
    if (isPassive) return;
    if (!this.#state.isFinReceived) await this.expect({ flags: 'FIN,ACK', ack: 'sndNxt' }, wait);
    this.ack();
  }

  /** Begins anew: the next SYN opens another connection, and what still comes of this one is passed over. */
  forget(): void {
    if (this.#localPort !== undefined && this.#remotePort !== undefined) {
      this.#former.add(`${this.#localPort} ${this.#remotePort}`);
    }
    this.#state = new PeerState();
  }

  #onPacket(packet: Uint8Array, atNs: Nanos): void {
    const decoded = decode(packet);
    if (decoded.kind !== 'segment') return;
    const { segment, checksumOk } = decoded;
    const isSound = checksumOk.ip && checksumOk.tcp;
    this.#log.received(atNs, segment, isSound);
    // MUST-3 of RFC 9293: what has a wrong checksum has not come.
    if (isSound) this.#arrivals.add({ segment, packet, atNs });
  }

  async #next(withinMs: number, skip: ExpectOptions['skip'] = []): Promise<Arrived | undefined> {
    const untilNs = this.#clock.now() + withinMs * NANOS_PER_MS;
    const skips = [skip].flat();
    for (;;) {
      const arrived = await this.#arrivals.take(untilNs);
      if (arrived === undefined) return undefined;
      const { segment } = arrived;
      if (this.#isStranger(segment)) continue;
      const view = { segment, rcvNxt: this.#state.rcvNxt, reading: this.#points.reading(segment) };
      if (!skips.some((one) => isSkipped(one, view))) return arrived;
      this.#take(arrived);
    }
  }

  /** Of another connection than the one at hand. Any SYN may begin one as long as no remote port is known. */
  #isStranger({ srcPort, dstPort, flags }: Segment): boolean {
    if (this.#localPort !== undefined && dstPort !== this.#localPort) return true;
    if (this.#remotePort !== undefined) return srcPort !== this.#remotePort;
    return this.#former.has(`${dstPort} ${srcPort}`) && !hasFlags({ flags }, FLAG.SYN);
  }

  #take({ segment, atNs }: Arrived): void {
    this.#localPort ??= segment.dstPort;
    this.#remotePort ??= segment.srcPort;
    this.#state.onReceived(segment);
    this.#log.taken(atNs, segment, this.#relative(segment, 'received'));
  }

  #relative(segment: Segment, direction: PeerRecord['direction']): Relative {
    const { iss, irs } = this.#state;
    const [own, other] = direction === 'sent' ? [iss, irs] : [irs, iss];
    return {
      relSeq: own === undefined ? undefined : seqDiff(segment.seq, own),
      relAck: other === undefined ? undefined : seqDiff(segment.ack, other),
    };
  }

  /** The segment is taken all the same, so that a script that catches this can go on with the next. */
  #mismatch(what: string, fields: readonly FieldComparison[], arrived: Arrived): ExpectationFailed {
    const history = this.#log.history();
    this.#take(arrived);
    const { segment } = arrived;
    return new ExpectationFailed({
      what,
      fields,
      segment,
      history,
      relative: this.#relative(segment, 'received'),
    });
  }
}

function compareTime(
  notBefore: Duration | undefined,
  fromNs: Nanos | undefined,
  atNs: Nanos,
): FieldComparison[] {
  if (notBefore === undefined || fromNs === undefined) return [];
  const leastMs = durationMs(notBefore);
  const afterMs = (atNs - fromNs) / NANOS_PER_MS;
  return [row('time', `at least ${durationText(leastMs)}`, durationText(afterMs), afterMs >= leastMs)];
}
