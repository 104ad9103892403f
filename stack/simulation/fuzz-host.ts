/** Hostile packets to a host without connections: to a port where somebody listens (LISTEN), and where nobody does (CLOSED). */
import {
  decode,
  describeSegment,
  encode,
  FLAG,
  makeSegment,
  Random,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqNumber,
  type TcpOption,
} from '../../harness/segment/index.js';
import { TcpStack } from '../host/index.js';
import { fromMs } from '../tcp/index.js';
import { checkShape } from './legal-segments.js';
import { text } from './text.js';
import { ADDRESSES } from './two-hosts.js';
import { demand } from './violation.js';
import { VirtualClock } from './virtual-clock.js';

export interface HostFuzzOptions {
  readonly state: 'LISTEN' | 'CLOSED';
  readonly segments: number;
  readonly seed: number;
}

export interface HostFuzzReport {
  readonly segments: number;
  readonly replies: number;
  /** To one packet. */
  readonly mostReplies: number;
  readonly mostSockets: number;
  readonly accepted: number;
}

const PORT = 80;
const CLOSED_PORT = 81;
const BACKLOG = 8;
/** In SYN-RECEIVED, and complete: as many of each as the backlog says. */
const MOST_SOCKETS = 2 * BACKLOG;
/** An answer; or what an opening by cookie brings: its ACK, and what it draws. */
const MOST_REPLIES = 3;

export function fuzzHost(options: HostFuzzOptions): HostFuzzReport {
  return new HostFuzz(options).run();
}

class HostFuzz {
  readonly #options: HostFuzzOptions;
  readonly #random: Random;
  readonly #clock = new VirtualClock();
  readonly #stack: TcpStack;
  /** What the host said last: somebody who listens knows it. */
  #heard: Segment | undefined;
  #drawn = 0;
  #report = { segments: 0, replies: 0, mostReplies: 0, mostSockets: 0, accepted: 0 };

  constructor(options: HostFuzzOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#stack = new TcpStack({
      clock: this.#clock,
      randomBytes: (octets) => Uint8Array.from({ length: octets }, () => this.#random.octet()),
      addresses: [ADDRESSES[4].server, ADDRESSES[6].server],
      output: (packet) => this.#takes(packet),
      settings: { mslMs: 10 },
    });
  }

  run(): HostFuzzReport {
    const { state, segments, seed } = this.#options;
    if (state === 'LISTEN') {
      const listen = { port: PORT, backlog: BACKLOG, fastOpen: true } as const;
      this.#stack.listen({ ...listen, ip: ADDRESSES[4].server });
      this.#stack.listen({ ...listen, ip: ADDRESSES[6].server });
    }
    for (; this.#report.segments < segments; this.#report.segments += 1) {
      const segment = this.#hostile();
      try {
        this.#drawn = 0;
        this.#stack.input(encode(segment));
        this.#judge();
        this.#letTimePass();
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        const at = `fuzz of ${state}, seed ${seed}, segment ${this.#report.segments}`;
        throw new Error(`${at}: ${describeSegment(segment)}: ${why}`, { cause });
      }
    }
    return this.#report;
  }

  #takes(packet: Uint8Array): void {
    const decoded = decode(packet);
    demand(decoded.kind === 'segment' && decoded.checksumOk.tcp, () => 'its reply is not sound');
    checkShape(decoded.segment);
    this.#heard = decoded.segment;
    this.#drawn += 1;
    this.#report.replies += 1;
  }

  #judge(): void {
    demand(this.#drawn <= MOST_REPLIES, () => `it draws ${this.#drawn} replies`);
    this.#report.mostReplies = Math.max(this.#report.mostReplies, this.#drawn);
    const { socketCount } = this.#stack;
    const most = this.#options.state === 'LISTEN' ? 2 * MOST_SOCKETS : 0;
    demand(socketCount <= most, () => `${socketCount} connections are kept`);
    this.#report.mostSockets = Math.max(this.#report.mostSockets, socketCount);
  }

  /** Timers run out now and then, and the program accepts what waits, and is done with it. */
  #letTimePass(): void {
    const random = this.#random;
    if (random.below(4) === 0) this.#clock.run(this.#clock.now() + fromMs(random.below(200)));
    if (random.below(16) > 0) return;
    for (const listener of this.#stack.listeners) {
      const socket = listener.accept();
      if (socket === undefined) continue;
      this.#report.accepted += 1;
      socket.abort();
    }
  }

  #hostile(): Segment {
    const random = this.#random;
    const ips = ADDRESSES[random.pick<4 | 6>([4, 6])];
    const heard = this.#heard;
    // An answer to what it said last, more or less.
    const isAnswer = heard !== undefined && random.below(2) === 0;
    const seq: SeqNumber = isAnswer
      ? seqAdd(heard.ack, random.pick([0, 0, 0, 1, -1]))
      : seqNumber(random.uint32());
    const ack = isAnswer ? seqAdd(heard.seq, random.pick([1, 1, 1, 0, 2])) : random.uint32();
    return makeSegment({
      src: isAnswer ? heard.ip.dst : ips.client,
      dst: isAnswer ? heard.ip.src : ips.server,
      srcPort: isAnswer ? heard.dstPort : 1000 + random.below(64),
      dstPort: this.#options.state === 'LISTEN' ? PORT : CLOSED_PORT,
      seq,
      ack,
      flags:
        random.below(8) === 0
          ? random.below(4096)
          : random.pick([
              FLAG.SYN,
              FLAG.SYN,
              FLAG.ACK,
              FLAG.ACK | FLAG.PSH,
              FLAG.RST,
              FLAG.SYN | FLAG.ACK,
              FLAG.FIN | FLAG.ACK,
            ]),
      window: random.below(0x10000),
      urgentPointer: random.below(4) === 0 ? random.below(0x10000) : 0,
      options: hostileSynOptions(random),
      payload: text(0, 0, random.pick([0, 0, 0, 1, 500])),
    });
  }
}

function hostileSynOptions(random: Random): TcpOption[] {
  const options: TcpOption[] = [];
  if (random.below(2) === 0) options.push({ kind: 'mss', mss: random.pick([0, 1, 48, 536, 1460, 0xffff]) });
  if (random.below(2) === 0)
    options.push({ kind: 'nop' }, { kind: 'windowScale', shift: random.pick([0, 7, 14, 15, 255]) });
  if (random.below(2) === 0) options.push({ kind: 'nop' }, { kind: 'nop' }, { kind: 'sackPermitted' });
  if (random.below(2) === 0)
    options.push(
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'timestamps', tsVal: random.uint32(), tsEcr: random.uint32() },
    );
  if (random.below(4) === 0)
    options.push(
      { kind: 'nop' },
      { kind: 'nop' },
      { kind: 'fastOpen', cookie: new Uint8Array(random.pick([0, 8])) },
    );
  while (random.below(8) === 0 && options.length < 12) options.push({ kind: 'nop' });
  return options;
}
