/**
 * The machine in each of its eleven states, for tests of the form: a state, one stimulus, one reaction. Both initial sequence numbers
 * lie just before the wrap. Options are off and ACKs are not delayed unless a test says so; the other side's MSS is 1000.
 */
import { expect } from 'chai';
import {
  describeSegment,
  FLAG,
  flagsText,
  makeSegment,
  option,
  parseFlags,
  type Segment,
  type SegmentInit,
  type SeqNumber,
  seqAdd,
  seqNumber,
  type TcpOption,
} from '../../harness/segment/index.js';
import type { SendOptions } from './calls.js';
import { type ControlBlock, nextTimerNs } from './control-block.js';
import { newBlock, type OpenOptions } from './new-block.js';
import { DEFAULT_SETTINGS, type TcpSettings } from './settings.js';
import type { TcpState } from './state.js';
import type { Notice } from './step.js';
import { fromMs, NEVER } from './time.js';
import { type TcpEvent, transition } from './transition.js';

export const LOCAL = { ip: '192.0.2.1', port: 80 } as const;
export const REMOTE = { ip: '192.0.2.2', port: 40_000 } as const;
/** This side's initial sequence number: its second octet of data is number 0. */
export const ISS = seqNumber(0xffff_fffe);
/** The other side's. */
export const IRS = seqNumber(0xffff_fffd);
export const PEER_MSS = 1000;
export const PEER_WINDOW = 10_000;

export const PLAIN: Partial<TcpSettings> = {
  timestamps: false,
  windowScale: false,
  sack: false,
  ackDelayMs: 0,
};

/** Fields of a segment by the names that tests use; what is absent does not matter. */
export interface Fields {
  /** Taken modulo 2^32. */
  readonly seq?: number;
  readonly ack?: number;
  /** All of them, in any order. */
  readonly flags?: string;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** Octets of data. */
  readonly length?: number;
  readonly options?: readonly TcpOption[];
  /** Octets of an IP packet. */
  readonly ecn?: number;
}

const MOST_STEPS = 10_000;

/** What one stimulus brought about. */
export interface Reaction {
  readonly segments: readonly Segment[];
  readonly notices: readonly Notice[];
  readonly state: TcpState;
}

export interface Setup extends Partial<Omit<OpenOptions, 'settings'>> {
  readonly settings?: Partial<TcpSettings>;
  /** Of the other side's SYN, behind its MSS. */
  readonly options?: readonly TcpOption[];
  /** What the other side's SYN says. */
  readonly mss?: number;
  readonly window?: number;
}

export class Machine {
  block: ControlBlock;
  nowNs: number;
  readonly #window: number;
  /** The other side's clock of timestamps, in ms. */
  peerTimestamp = 1000;

  constructor({ settings, window = PEER_WINDOW, ...setup }: Setup, isActive: boolean, nowNs = fromMs(1000)) {
    this.nowNs = nowNs;
    this.#window = window;
    this.block = newBlock(
      {
        local: LOCAL,
        remote: REMOTE,
        ipVersion: LOCAL.ip.includes(':') ? 6 : 4,
        iss: ISS,
        tsOffset: 0,
        linkMtu: 1500,
        ...setup,
        settings: { ...DEFAULT_SETTINGS, ...PLAIN, ...settings },
      },
      isActive,
      nowNs,
    );
  }

  get state(): TcpState {
    return this.block.state;
  }

  on(event: TcpEvent): Reaction {
    const { block, segments, notices } = transition(this.block, event, this.nowNs);
    this.block = block;
    return { segments, notices, state: block.state };
  }

  /** A segment arrives. What is absent is as it should be: at RCV.NXT, acknowledging all, with a timestamp where there are any. */
  recv(init: SegmentInit = {}): Reaction {
    return this.on({ kind: 'segment', segment: this.segment(init) });
  }

  segment(init: SegmentInit = {}): Segment {
    const { block } = this;
    const { local, remote } = block;
    const text = typeof init.flags === 'number' ? init.flags : parseFlags(init.flags ?? 'ACK');
    const timestamps: TcpOption[] =
      block.hasTimestamps && (text & FLAG.RST) === 0
        ? [{ kind: 'timestamps', tsVal: this.peerTimestamp, tsEcr: 0 }]
        : [];
    return makeSegment({
      src: remote.ip,
      dst: local.ip,
      srcPort: remote.port,
      dstPort: local.port,
      seq: block.rcvNxt,
      ack: (text & FLAG.ACK) === 0 ? 0 : block.sndNxt,
      window: this.#window,
      options: timestamps,
      ...init,
    });
  }

  send(data: string | number, options: SendOptions = {}): Reaction {
    const octets =
      typeof data === 'number' ? new Uint8Array(data).fill(0x61) : new TextEncoder().encode(data);
    return this.on({ kind: 'send', data: octets, ...options });
  }

  receive(most = 1 << 20): string {
    const result = transition(this.block, { kind: 'receive', most }, this.nowNs);
    this.block = result.block;
    return new TextDecoder().decode(result.data);
  }

  close(): Reaction {
    return this.on({ kind: 'close' });
  }

  abort(): Reaction {
    return this.on({ kind: 'abort' });
  }

  set(settings: Partial<TcpSettings>): Reaction {
    return this.on({ kind: 'settings', settings });
  }

  /** Time passes; timers run out in their order, and what they bring about is put together. */
  wait(ms: number): Reaction {
    const endNs = this.nowNs + fromMs(ms);
    const segments: Segment[] = [];
    const notices: Notice[] = [];
    let steps = 0;
    for (let next = nextTimerNs(this.block); next <= endNs; next = nextTimerNs(this.block)) {
      steps += 1;
      if (next === NEVER || steps > MOST_STEPS) throw new Error(`${steps} timers ran out, and no end`);
      this.nowNs = Math.max(next, this.nowNs);
      const reaction = this.on({ kind: 'time' });
      segments.push(...reaction.segments);
      notices.push(...reaction.notices);
    }
    this.nowNs = endNs;
    this.peerTimestamp += ms;
    return { segments, notices, state: this.state };
  }

  /** Until the next timer runs out, which is served. Returns how long it took, in ms. */
  waitForTimer(): Reaction & { readonly afterMs: number } {
    const afterMs = (nextTimerNs(this.block) - this.nowNs) / 1e6;
    return { ...this.wait(afterMs), afterMs };
  }
}

/** The segments that left, and no others, in this order. */
export function expectSent({ segments }: Pick<Reaction, 'segments'>, ...expected: readonly Fields[]): void {
  const text = segments.map((segment) => describeSegment(segment)).join('\n');
  expect(segments.length, `segments sent:\n${text}`).to.equal(expected.length);
  segments.forEach((segment, index) => {
    const fields = expected[index] ?? {};
    expect(fieldsOf(segment, fields), `of segment ${index}: ${describeSegment(segment)}`).to.deep.equal(
      normal(fields),
    );
  });
}

const sortedFlags = (flags: number): string => flagsText(flags);

function normal(fields: Fields): Fields {
  return {
    ...fields,
    ...(fields.seq === undefined ? {} : { seq: seqNumber(fields.seq) }),
    ...(fields.ack === undefined ? {} : { ack: seqNumber(fields.ack) }),
    ...(fields.flags === undefined ? {} : { flags: sortedFlags(parseFlags(fields.flags)) }),
  };
}

function fieldsOf(segment: Segment, wanted: Fields): Fields {
  const all: Required<Fields> = {
    seq: segment.seq,
    ack: segment.ack,
    flags: sortedFlags(segment.flags),
    window: segment.window,
    urgentPointer: segment.urgentPointer,
    length: segment.payload.length,
    options: segment.options,
    ecn: segment.ip.trafficClass & 0b11,
  };
  const names = Object.keys(wanted) as (keyof Fields)[];
  return Object.fromEntries(names.map((name) => [name, all[name]]));
}

export const kindsOf = ({ notices }: Pick<Reaction, 'notices'>): readonly string[] =>
  notices.map(({ kind }) => kind);

/** Why it ended, of a reaction that ended it with an error. */
export const errorOf = ({ notices }: Pick<Reaction, 'notices'>): string | undefined =>
  notices.flatMap((notice) => (notice.kind === 'failed' ? [notice.error] : []))[0];

export const optionOf = option;

const synOptions = ({ mss = PEER_MSS, options = [] }: Setup): TcpOption[] => [
  { kind: 'mss', mss },
  ...options,
];

// The eleven states, each by its shortest road.

export const inClosed = (setup: Setup = {}): Machine => new Machine(setup, true);

export const inListen = (setup: Setup = {}): Machine => new Machine(setup, false);

export function inSynSent(setup: Setup = {}): Machine {
  const machine = inClosed(setup);
  machine.on({ kind: 'open' });
  return reached(machine, 'SYN-SENT');
}

/** By a passive OPEN. */
export function inSynReceived(setup: Setup = {}): Machine {
  const machine = inListen(setup);
  machine.recv({ seq: IRS, flags: 'SYN', options: synOptions(setup) });
  return reached(machine, 'SYN-RECEIVED');
}

/** By both sides' opening at once. */
export function inSynReceivedByActiveOpen(setup: Setup = {}): Machine {
  const machine = inSynSent(setup);
  machine.recv({ seq: IRS, flags: 'SYN', options: synOptions(setup) });
  return reached(machine, 'SYN-RECEIVED');
}

/** By an active OPEN. */
export function inEstablished(setup: Setup = {}): Machine {
  const machine = inSynSent(setup);
  machine.recv({ seq: IRS, ack: ISS + 1, flags: 'SYN,ACK', options: synOptions(setup) });
  return reached(machine, 'ESTABLISHED');
}

export function inEstablishedByPassiveOpen(setup: Setup = {}): Machine {
  const machine = inSynReceived(setup);
  machine.recv({ ack: ISS + 1 });
  return reached(machine, 'ESTABLISHED');
}

export function inFinWait1(setup: Setup = {}): Machine {
  const machine = inEstablished(setup);
  machine.close();
  return reached(machine, 'FIN-WAIT-1');
}

export function inFinWait2(setup: Setup = {}): Machine {
  const machine = inFinWait1(setup);
  machine.recv();
  return reached(machine, 'FIN-WAIT-2');
}

export function inCloseWait(setup: Setup = {}): Machine {
  const machine = inEstablished(setup);
  machine.recv({ flags: 'FIN,ACK' });
  return reached(machine, 'CLOSE-WAIT');
}

export function inClosing(setup: Setup = {}): Machine {
  const machine = inFinWait1(setup);
  machine.recv({ flags: 'FIN,ACK', ack: machine.block.sndUna });
  return reached(machine, 'CLOSING');
}

export function inLastAck(setup: Setup = {}): Machine {
  const machine = inCloseWait(setup);
  machine.close();
  return reached(machine, 'LAST-ACK');
}

export function inTimeWait(setup: Setup = {}): Machine {
  const machine = inFinWait2(setup);
  machine.recv({ flags: 'FIN,ACK' });
  return reached(machine, 'TIME-WAIT');
}

function reached(machine: Machine, state: TcpState): Machine {
  expect(machine.state).to.equal(state);
  return machine;
}

export const STATES: Readonly<Record<TcpState, (setup?: Setup) => Machine>> = {
  CLOSED: inClosed,
  LISTEN: inListen,
  'SYN-SENT': inSynSent,
  'SYN-RECEIVED': inSynReceived,
  ESTABLISHED: inEstablished,
  'FIN-WAIT-1': inFinWait1,
  'FIN-WAIT-2': inFinWait2,
  'CLOSE-WAIT': inCloseWait,
  CLOSING: inClosing,
  'LAST-ACK': inLastAck,
  'TIME-WAIT': inTimeWait,
};

/** Those of RFC 9293 section 3.10.7.4's synchronized states, by name. */
export const SYNCHRONIZED = [
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const satisfies readonly TcpState[];

export const behind = (seq: SeqNumber, octets: number): SeqNumber => seqAdd(seq, octets);
