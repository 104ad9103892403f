/**
 * Hostile segments into each state that has a control block: none may throw, make the block grow, or draw a reply that is not legal. The
 * same seed gives the same segments.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  decode,
  describeSegment,
  encode,
  FLAG,
  Random,
  type Segment,
  seqDiff,
  seqNumber,
  type TcpOption,
} from '../../harness/segment/index.js';
import {
  advance,
  type ControlBlock,
  effectiveMss,
  type Nanos,
  newStep,
  nextTimerNs,
  type Step,
  type TcpEvent,
  transition,
} from '../tcp/index.js';
import { blockSnapshot } from './block-snapshot.js';
import { hostileIcmp, hostileSegment } from './hostile-segments.js';
import { BlockHistory, checkBlock } from './invariants.js';
import { checkShape } from './legal-segments.js';
import { type BlockState, blockIn, type StateOptions } from './states.js';
import { text } from './text.js';
import { demand } from './violation.js';

export interface FuzzOptions {
  readonly state: BlockState;
  readonly segments: number;
  readonly seed: number;
}

export interface FuzzReport {
  readonly segments: number;
  /** Blocks that were made: one ends, or leaves the state, and another takes its place. */
  readonly blocks: number;
  readonly replies: number;
  /** The most replies to one event, and of these without data. */
  readonly mostReplies: number;
  readonly mostEmpty: number;
  /** Memory of both rings of a block, at its most. */
  readonly mostOctets: number;
  readonly mostRecords: number;
  readonly mostEarly: number;
  /** Events for which `transition` was compared with `advance`. */
  readonly compared: number;
}

/** A block lives for so many events at most, in whatever state. */
const LIFE = 400;
/** What one event may draw beside data: an answer, and an ACK that was owed. */
const MOST_EMPTY = 3;
const COMPARED_EVERY = 256;
/** Blocks that are kept to be copied. */
const KEPT = 128;
const RENEWED_EVERY = 50;

export function fuzzState(options: FuzzOptions): FuzzReport {
  return new StateFuzz(options).run();
}

class StateFuzz {
  readonly #options: FuzzOptions;
  readonly #random: Random;
  #block: ControlBlock;
  #nowNs: Nanos;
  readonly #kept: { readonly block: ControlBlock; readonly nowNs: Nanos }[] = [];
  #history = new BlockHistory();
  #age = 0;
  #report = {
    segments: 0,
    blocks: 0,
    replies: 0,
    mostReplies: 0,
    mostEmpty: 0,
    mostOctets: 0,
    mostRecords: 0,
    mostEarly: 0,
    compared: 0,
  };

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    ({ block: this.#block, nowNs: this.#nowNs } = this.#fresh());
  }

  run(): FuzzReport {
    for (let events = 0; this.#report.segments < this.#options.segments; events += 1) {
      // Most segments are to find the state that is meant; some follow it wherever it goes.
      const hasLeft = this.#block.state !== this.#options.state && this.#random.below(4) > 0;
      if (this.#block.state === 'CLOSED' || hasLeft || this.#age >= LIFE) this.#begin();
      this.#age += 1;
      const event = this.#next();
      if (event.kind === 'segment') this.#report.segments += 1;
      const before = this.#block.state;
      try {
        this.#handle(event, events % COMPARED_EVERY === 0);
      } catch (cause) {
        const { seed, state } = this.#options;
        const what = event.kind === 'segment' ? describeSegment(event.segment) : event.kind;
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(
          `fuzz of ${state}, seed ${seed}, segment ${this.#report.segments}, in ${before}: ${what}: ${why}`,
          {
            cause,
          },
        );
      }
    }
    return this.#report;
  }

  #begin(): void {
    ({ block: this.#block, nowNs: this.#nowNs } = this.#fresh());
    this.#history = new BlockHistory();
    this.#age = 0;
  }

  /** A copy of one that was made before, or now and then a new one. */
  #fresh(): { block: ControlBlock; nowNs: Nanos } {
    this.#report.blocks += 1;
    let found = this.#kept[this.#random.below(KEPT)];
    if (found === undefined || this.#random.below(RENEWED_EVERY) === 0) {
      found = blockIn(this.#options.state, randomState(this.#random));
      this.#kept[this.#random.below(KEPT)] = found;
    }
    const { block, nowNs } = found;
    return { block: transition(block, { kind: 'settings', settings: {} }, nowNs).block, nowNs };
  }

  #next(): TcpEvent {
    const random = this.#random;
    const block = this.#block;
    this.#nowNs += random.pick([0, 1, 1000, 1_000_000, 50_000_000]);
    const dueNs = nextTimerNs(block);
    if (dueNs <= this.#nowNs) return { kind: 'time' };
    switch (random.below(64)) {
      case 0:
        if (dueNs === Number.POSITIVE_INFINITY) break;
        this.#nowNs = dueNs;
        return { kind: 'time' };
      case 1:
        return { kind: 'icmp', news: hostileIcmp(random, block) };
      case 2:
        return { kind: 'send', data: text(0, 0, 1 + random.below(4000)), isUrgent: random.below(4) === 0 };
      case 3:
        return { kind: 'receive', most: random.below(5000) };
      default:
    }
    return { kind: 'segment', segment: hostileSegment(random, block, this.#nowNs) };
  }

  #handle(event: TcpEvent, isCompared: boolean): void {
    const step = newStep(this.#nowNs);
    if (isCompared) this.#compare(event, step);
    else advance(this.#block, step, event);
    checkBlock(this.#block, this.#nowNs);
    if (this.#block.state !== 'CLOSED') this.#history.check(this.#block);
    for (const reply of step.segments) checkReply(this.#block, reply);
    this.#measure(step);
  }

  /** The pure function and the one in place do the same, and the pure one changes nothing. */
  #compare(event: TcpEvent, step: Step): void {
    const before = blockSnapshot(this.#block);
    const { block, segments, notices } = transition(this.#block, event, this.#nowNs);
    demand(isDeepStrictEqual(blockSnapshot(this.#block), before), () => 'transition has changed its block');
    advance(this.#block, step, event);
    demand(
      isDeepStrictEqual(blockSnapshot(this.#block), blockSnapshot(block)),
      () => `transition gives another block than advance: ${difference(this.#block, block)}`,
    );
    demand(isDeepStrictEqual(step.segments, segments), () => 'transition sends other segments than advance');
    demand(isDeepStrictEqual(step.notices, notices), () => 'transition tells other news than advance');
    this.#report.compared += 1;
  }

  #measure({ segments }: Step): void {
    const report = this.#report;
    const block = this.#block;
    const withData = segments.filter(({ payload }) => payload.length > 0);
    const octets = withData.reduce((sum, { payload }) => sum + payload.length, 0);
    const empty = segments.length - withData.length;
    const mss = effectiveMss(block);
    demand(empty <= MOST_EMPTY, () => `it draws ${empty} replies without data`);
    demand(
      octets <= block.congestion.cwnd + 3 * mss,
      () => `it draws ${octets} octets of data, and the congestion window is ${block.congestion.cwnd}`,
    );
    report.replies += segments.length;
    report.mostReplies = Math.max(report.mostReplies, segments.length);
    report.mostEmpty = Math.max(report.mostEmpty, empty);
    report.mostOctets = Math.max(report.mostOctets, block.sendRing.capacity + block.receiveRing.capacity);
    report.mostRecords = Math.max(report.mostRecords, block.sent.count);
    report.mostEarly = Math.max(report.mostEarly, block.early.length);
  }
}

/** The fields that are not the same. */
function difference(a: ControlBlock, b: ControlBlock): string {
  const [one, other] = [blockSnapshot(a), blockSnapshot(b)];
  return Object.keys(one)
    .filter((name) => !isDeepStrictEqual(one[name], other[name]))
    .join(', ');
}

/** Sound, encodable, and with numbers that are the connection's. */
function checkReply(block: ControlBlock, reply: Segment): void {
  const says = (what: string) => (): string => `its reply ${describeSegment(reply)} ${what}`;
  checkShape(reply);
  const decoded = decode(encode(reply));
  demand(decoded.kind === 'segment' && decoded.checksumOk.tcp, says('is not sound'));
  const { flags, seq, ack, payload } = reply;
  if ((flags & FLAG.RST) !== 0) return;
  const behind = seqDiff(seq, block.sndUna);
  demand(behind >= -1 || (flags & FLAG.SYN) !== 0, says(`begins before SND.UNA ${block.sndUna}`));
  const end = seqDiff(seqNumber(seq + payload.length), block.sndNxt);
  demand(end <= 0, says(`ends behind SND.NXT ${block.sndNxt}`));
  if ((flags & FLAG.ACK) === 0) return;
  demand(seqDiff(block.rcvNxt, ack) >= 0, says(`acknowledges more than RCV.NXT ${block.rcvNxt}`));
}

const FIRST_NUMBERS = [0, 1, -1, -100, -3000, 0x7fff_fff0, 0x8000_0000] as const;

function randomState(random: Random): StateOptions {
  const isOn = (): boolean => random.below(4) > 0;
  const number = (): number => random.pick([...FIRST_NUMBERS, random.uint32()]);
  const peerOptions: TcpOption[] = [{ kind: 'mss', mss: random.pick([1460, 536, 48, 8960]) }];
  if (isOn()) peerOptions.push({ kind: 'sackPermitted' });
  if (isOn()) peerOptions.push({ kind: 'timestamps', tsVal: random.uint32(), tsEcr: 0 });
  if (isOn()) peerOptions.push({ kind: 'windowScale', shift: random.below(15) });
  while (peerOptions.length < 12 && octets(peerOptions) % 4 !== 0) peerOptions.push({ kind: 'nop' });
  return {
    ipVersion: random.pick([4, 6]),
    iss: seqNumber(number()),
    irs: seqNumber(number()),
    tsOffset: random.uint32(),
    peerOptions,
    window: random.pick([1000, 0xffff, 8000]),
    sends: random.pick([5000, 100, 3000]),
    receives: random.pick([300, 1, 0]),
    settings: {
      sack: isOn(),
      timestamps: isOn(),
      tailLossProbe: isOn(),
      keepAlive: isOn(),
      noDelay: isOn(),
      ecn: random.pick(['ask', 'accept', 'off']),
      congestionControl: random.pick(['cubic', 'newreno']),
      resetProfile: random.pick(['rfc5961', 'rfc5961', 'rfc793']),
      pathMtuDiscovery: random.pick(['icmp', 'probe', 'off']),
      sendBufferOctets: random.pick([1 << 16, 6000]),
      ...(random.below(2) === 0 ? {} : { receiveBufferOctets: random.pick([1000, 70_000]) }),
    },
  };
}

const SIZES: Partial<Record<TcpOption['kind'], number>> = {
  mss: 4,
  sackPermitted: 2,
  timestamps: 10,
  windowScale: 3,
  nop: 1,
};
const octets = (options: readonly TcpOption[]): number =>
  options.reduce((sum, { kind }) => sum + (SIZES[kind] ?? 0), 0);
