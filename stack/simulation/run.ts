/** One connection from its opening until nothing of it is left, in virtual time, with everything checked at every step. */
import { decode, describeSegment } from '../../harness/segment/index.js';
import type { TcpSocket, TcpStackOptions } from '../host/index.js';
import { fromMs, NANOS_PER_MS, type TcpSettings } from '../tcp/index.js';
import { BlockHistory, checkBlock } from './invariants.js';
import { LegalSegments } from './legal-segments.js';
import { Program, type ProgramPlan } from './program.js';
import { isText } from './text.js';
import { ADDRESSES, type Fate, type HostName, LATENCY_NS, type Passing, TwoHosts } from './two-hosts.js';
import { demand, Violation } from './violation.js';

export interface RunOptions {
  readonly seed?: number;
  readonly ipVersion?: 4 | 6;
  /** Both at once: RFC 9293 figure 7. */
  readonly opens?: 'client' | 'both';
  readonly client: ProgramPlan;
  readonly server: ProgramPlan;
  readonly settings?: Partial<TcpSettings>;
  readonly clientSettings?: Partial<TcpSettings>;
  readonly serverSettings?: Partial<TcpSettings>;
  readonly stack?: Partial<TcpStackOptions>;
  readonly mtu?: number;
  readonly latencyNs?: number;
  readonly fate?: (passing: Passing, nowNs: number) => Fate;
  /** So many connections one after the other, from the same port; the next begins when nothing of the last is left at the client. */
  readonly rounds?: number;
  /** The client asks for Fast Open (RFC 7413), and has data on the SYN when it has a cookie. */
  readonly fastOpen?: boolean;
  /** Something else that happens, so long after the beginning. */
  readonly events?: readonly { readonly atMs: number; readonly act: (hosts: TwoHosts) => void }[];
}

export interface SideOutcome {
  readonly sent: number;
  readonly received: number;
  readonly hasSeenEnd: boolean;
  readonly error: string | undefined;
}

export interface RoundOutcome {
  readonly client: SideOutcome;
  readonly server: SideOutcome;
}

/** Of the first round; `rounds` has all. */
export interface Outcome extends RoundOutcome {
  readonly rounds: readonly RoundOutcome[];
  readonly packets: number;
  readonly steps: number;
  readonly tookMs: number;
}

const PORT = 80;
const CLIENT_PORT = 40_000;
/** A connection that is not over by then never will be: no timer is longer than TIME-WAIT and the retries together. */
const MOST_NS = fromMs(24 * 3_600_000);
const MOST_STEPS = 400_000;
const TRACED = 60;
/** Between the end of a connection and the next one's beginning. */
const GAP_NS = fromMs(5);

export function run(options: RunOptions): Outcome {
  return new Run(options).finish();
}

class Run {
  readonly #options: RunOptions;
  readonly #hosts: TwoHosts;
  readonly #rounds: Record<HostName, Program>[] = [];
  readonly #histories = new Map<TcpSocket, BlockHistory>();
  readonly #legal: LegalSegments;
  readonly #trace: {
    readonly atNs: number;
    readonly from: HostName;
    readonly packet: Uint8Array;
    fate: Fate;
  }[] = [];
  #packets = 0;
  #steps = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { mtu = 1500, settings, stack } = options;
    const hosts = new TwoHosts({
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ipVersion: options.ipVersion ?? 4,
      fate: (passing) => this.#fate(passing),
      stack: { mtu, ...stack },
      client: {
        settings: { ...settings, ...options.clientSettings },
        observe: ({ to }) => {
          if (to === 'CLOSED') this.#nextRound();
        },
      },
      server: { settings: { ...settings, ...options.serverSettings } },
    });
    this.#hosts = hosts;
    this.#legal = new LegalSegments({
      mtu,
      isText: (from, at, payload) => isText(from === 'client' ? 0 : 1, at, payload),
    });
  }

  finish(): Outcome {
    try {
      return this.#finish();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const at = (this.#hosts.clock.now() / NANOS_PER_MS).toFixed(3);
      throw new Violation(`at ${at} ms: ${error.message}\n${this.#traceText()}`);
    }
  }

  #finish(): Outcome {
    const { clock } = this.#hosts;
    this.#open();
    for (const { atMs, act } of this.#options.events ?? []) clock.at(fromMs(atMs), () => act(this.#hosts));
    this.#check();
    while (clock.step(MOST_NS)) {
      this.#steps += 1;
      demand(this.#steps < MOST_STEPS, () => `${MOST_STEPS} steps, and no end`);
      this.#check();
    }
    this.#checkEnd();
    const rounds = this.#rounds.map(({ client, server }) => ({
      client: outcomeOf(client),
      server: outcomeOf(server),
    }));
    const [first] = rounds;
    demand(first !== undefined, () => 'nothing was begun');
    return {
      ...first,
      rounds,
      packets: this.#packets,
      steps: this.#steps,
      tookMs: clock.now() / NANOS_PER_MS,
    };
  }

  #open(): void {
    const { server } = this.#hosts;
    const { opens = 'client', ipVersion = 4, fastOpen = false } = this.#options;
    if (opens === 'client') {
      const listener = server.listen({ port: PORT, fastOpen });
      listener.onConnection = () => {
        const socket = listener.accept();
        const program = this.#rounds.at(-1)?.server;
        // An old SYN that comes late may open one that nobody is at the other end of.
        if (program?.socket !== undefined) socket?.abort();
        else if (socket !== undefined) program?.take(socket);
      };
    }
    this.#begin();
    if (opens === 'both')
      this.#rounds[0]?.server.take(
        server.connect({ ip: ADDRESSES[ipVersion].client, port: CLIENT_PORT }, { from: { port: PORT } }),
      );
  }

  #begin(): void {
    const { ipVersion = 4, fastOpen = false, client: plan } = this.#options;
    const { client, clock } = this.#hosts;
    const round = {
      client: new Program(plan, 0, clock),
      server: new Program(this.#options.server, 1, clock),
    };
    this.#rounds.push(round);
    const to = { ip: ADDRESSES[ipVersion].server, port: PORT };
    round.client.take(
      client.connect(to, { from: { port: CLIENT_PORT }, fastOpen, ...round.client.early(fastOpen) }),
    );
  }

  #nextRound(): void {
    const { rounds = 1 } = this.#options;
    if (this.#rounds.length < rounds)
      this.#hosts.clock.at(this.#hosts.clock.now() + GAP_NS, () => this.#begin());
  }

  #fate(passing: Passing): Fate {
    const { fate, latencyNs = LATENCY_NS } = this.#options;
    const nowNs = this.#hosts.clock.now();
    this.#packets += 1;
    const decided = fate?.(passing, nowNs) ?? [latencyNs];
    this.#trace.push({ atNs: nowNs, from: passing.from, packet: passing.packet, fate: decided });
    if (this.#trace.length > 4 * TRACED) this.#trace.splice(0, 3 * TRACED);
    this.#legal.check(passing.from, passing.packet);
    return decided;
  }

  #check(): void {
    const nowNs = this.#hosts.clock.now();
    for (const name of ['client', 'server'] as const)
      for (const socket of this.#hosts[name].sockets) {
        try {
          checkBlock(socket.block, nowNs);
          let history = this.#histories.get(socket);
          if (history === undefined) {
            history = new BlockHistory();
            this.#histories.set(socket, history);
          }
          history.check(socket.block);
        } catch (error) {
          if (!(error instanceof Violation)) throw error;
          throw new Violation(`${name} in ${socket.state}: ${error.message}`);
        }
      }
    const round = this.#rounds.at(-1);
    if (round === undefined) return;
    const { client, server } = round;
    demand(client.received <= server.sent, () => 'more was delivered to the client than the server sent');
    demand(server.received <= client.sent, () => 'more was delivered to the server than the client sent');
  }

  /** Nothing is left. */
  #checkEnd(): void {
    const { client, server, clock } = this.#hosts;
    for (const [name, stack] of Object.entries({ client, server })) {
      const states = [...stack.sockets].map(({ state }) => state);
      demand(states.length === 0, () => `the ${name} keeps a connection in ${states.join(', ')} for ever`);
    }
    demand(clock.pending === 0, () => `${clock.pending} timers are left`);
    for (const round of this.#rounds)
      for (const [name, program] of Object.entries(round))
        demand(
          knowsEnd(program),
          () => `the ${name}'s connection is gone, and its program knows nothing of it`,
        );
  }

  #traceText(): string {
    return this.#trace
      .slice(-TRACED)
      .map(({ atNs, from, packet, fate }) => {
        const decoded = decode(packet);
        const what = decoded.kind === 'segment' ? describeSegment(decoded.segment) : decoded.kind;
        const where = fate.map((each) => (typeof each === 'number' ? each : each.afterNs) / NANOS_PER_MS);
        const lot = where.length === 0 ? 'lost' : where.map((ms) => `+${ms.toFixed(3)}`).join(' ');
        return `${(atNs / NANOS_PER_MS).toFixed(3).padStart(14)} ${from} ${what} ${lot}`;
      })
      .join('\n');
  }
}

const knowsEnd = ({ socket, error, hasSeenEnd, hasAborted }: Program): boolean =>
  socket === undefined || hasSeenEnd || hasAborted || error !== undefined || !socket.block.isHeld;

const outcomeOf = ({ sent, received, hasSeenEnd, error }: Program): SideOutcome => ({
  sent,
  received,
  hasSeenEnd,
  error,
});
