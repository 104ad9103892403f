/** A control block in each state that has one, brought there as a connection comes there: by segments, calls and time. */
import {
  makeSegment,
  type SegmentInit,
  type SeqNumber,
  seqAdd,
  seqDiff,
  type TcpOption,
} from '../../harness/segment/index.js';
import {
  advance,
  type ControlBlock,
  DEFAULT_SETTINGS,
  type Nanos,
  newBlock,
  newStep,
  type TcpEvent,
  type TcpSettings,
  type TcpState,
} from '../tcp/index.js';
import { text } from './text.js';
import { ADDRESSES } from './two-hosts.js';

export interface StateOptions {
  readonly ipVersion: 4 | 6;
  readonly iss: SeqNumber;
  readonly irs: SeqNumber;
  readonly tsOffset?: number;
  readonly settings?: Partial<TcpSettings>;
  /** Options of the peer's SYN. */
  readonly peerOptions: readonly TcpOption[];
  /** Both windows, as the peer's segments carry them. */
  readonly window?: number;
  /** Octets that were given to SEND, of which half are acknowledged. */
  readonly sends?: number;
  /** Octets that came in order, and that many that came early. */
  readonly receives?: number;
}

export type BlockState = Exclude<TcpState, 'CLOSED' | 'LISTEN'>;

export const BLOCK_STATES: readonly BlockState[] = [
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

const STEP_NS = 1_000_000;
const LOCAL_PORT = 40_000;
const REMOTE_PORT = 80;

/** Drives one block, and plays its peer. */
class Road {
  readonly block: ControlBlock;
  readonly #options: StateOptions;
  nowNs: Nanos = 1_000_000_000;

  constructor(options: StateOptions) {
    this.#options = options;
    const ips = ADDRESSES[options.ipVersion];
    this.block = newBlock(
      {
        local: { ip: ips.client, port: LOCAL_PORT },
        remote: { ip: ips.server, port: REMOTE_PORT },
        ipVersion: options.ipVersion,
        settings: { ...DEFAULT_SETTINGS, ...options.settings },
        iss: options.iss,
        tsOffset: options.tsOffset ?? 0,
        linkMtu: 1500,
      },
      true,
      this.nowNs,
    );
  }

  do(event: TcpEvent): void {
    this.nowNs += STEP_NS;
    advance(this.block, newStep(this.nowNs), event);
  }

  /** The peer says something: the next in order, which acknowledges nothing new, unless told otherwise. */
  hear(init: SegmentInit): void {
    this.do({
      kind: 'segment',
      segment: fromPeer(this.block, { window: this.#options.window ?? 1000, ...init }),
    });
  }

  open(): void {
    this.do({ kind: 'open' });
  }

  answered(flags: 'SYN' | 'SYN,ACK'): void {
    const { irs, iss, peerOptions } = this.#options;
    const ack = flags === 'SYN' ? 0 : seqAdd(iss, 1);
    this.hear({ seq: irs, ack, flags, options: peerOptions });
  }

  talk(): void {
    const { sends = 5000, receives = 300 } = this.#options;
    if (sends > 0) {
      this.do({ kind: 'send', data: text(0, 0, sends) });
      this.acknowledge(this.block.sndUna + Math.floor((this.block.sndNxt - this.block.sndUna) >>> 1));
    }
    if (receives === 0) return;
    this.hear({ payload: text(1, 0, receives) });
    if (this.#options.settings?.receiveBufferOctets === undefined)
      this.hear({ seq: seqAdd(this.block.rcvNxt, 2 * receives), payload: text(1, 3 * receives, receives) });
  }

  acknowledge(ack: number): void {
    this.hear({ ack });
  }
}

/** A segment of the peer's, as the block expects it, but for what `init` says. */
export function fromPeer(block: ControlBlock, init: SegmentInit) {
  const { local, remote, rcvNxt, sndUna, tsRecent, tsOffset } = block;
  const timestamps: readonly TcpOption[] = block.hasTimestamps
    ? [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'timestamps', tsVal: tsRecent, tsEcr: tsOffset }]
    : [];
  return makeSegment({
    src: remote.ip,
    dst: local.ip,
    srcPort: remote.port,
    dstPort: local.port,
    seq: rcvNxt,
    ack: sndUna,
    options: timestamps,
    ...init,
  });
}

export function blockIn(state: BlockState, options: StateOptions): { block: ControlBlock; nowNs: Nanos } {
  const road = new Road(options);
  road.open();
  if (state !== 'SYN-SENT') {
    road.answered(state === 'SYN-RECEIVED' ? 'SYN' : 'SYN,ACK');
    if (state !== 'SYN-RECEIVED') settle(road, state);
  }
  const { block, nowNs } = road;
  if (block.state !== state) throw new Error(`the road to ${state} has led to ${block.state}`);
  return { block, nowNs };
}

/** What follows the opening. */
function settle(road: Road, state: BlockState): void {
  const { block } = road;
  const fin = (): void => road.hear({ flags: 'FIN,ACK', seq: block.rcvNxt });
  const close = (): void => road.do({ kind: 'close' });
  const acknowledgeUntil = (isDone: () => boolean): void => {
    for (let rounds = 0; rounds < MOST_ROUNDS && !isDone(); rounds += 1) road.acknowledge(block.sndNxt);
  };
  const isLast =
    state === 'FIN-WAIT-2' || state === 'TIME-WAIT' || state === 'CLOSING' || state === 'LAST-ACK';
  road.talk();
  if (state === 'ESTABLISHED') return;
  fillHole(road);
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') fin();
  if (state === 'CLOSE-WAIT') return;
  acknowledgeUntil(() => block.sndUna === endOfAll(block));
  if (!isLast) road.do({ kind: 'send', data: text(0, 0, 700) });
  close();
  acknowledgeUntil(() => isFinSent(block));
  if (state === 'CLOSING') fin();
  if (state === 'FIN-WAIT-2' || state === 'TIME-WAIT') road.acknowledge(block.sndNxt);
  if (state === 'TIME-WAIT') fin();
}

const MOST_ROUNDS = 100;
const isFinSent = (block: ControlBlock): boolean => seqDiff(block.sndNxt, endOfAll(block)) > 0;
const endOfAll = ({ sendBase, sendOctets }: ControlBlock): SeqNumber => seqAdd(sendBase, sendOctets);

/** What came early is reached. */
function fillHole(road: Road): void {
  const { block } = road;
  const [first] = block.early;
  if (first !== undefined) road.hear({ payload: text(1, 0, (first.left - block.rcvNxt) >>> 0) });
}
