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
  /** Something else that happens, so long after the beginning. */
  readonly events?: readonly { readonly atMs: number; readonly act: (hosts: TwoHosts) => void }[];
}

export interface SideOutcome {
  readonly sent: number;
  readonly received: number;
  readonly hasSeenEnd: boolean;
  readonly error: string | undefined;
}

export interface Outcome {
  readonly client: SideOutcome;
  readonly server: SideOutcome;
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

export function run(options: RunOptions): Outcome {
  return new Run(options).finish();
}

class Run {
  readonly #options: RunOptions;
  readonly #hosts: TwoHosts;
  readonly #programs: Record<HostName, Program>;
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
      client: { settings: { ...settings, ...options.clientSettings } },
      server: { settings: { ...settings, ...options.serverSettings } },
    });
    this.#hosts = hosts;
    this.#programs = {
      client: new Program(options.client, 0, hosts.clock),
      server: new Program(options.server, 1, hosts.clock),
    };
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
    return {
      client: outcomeOf(this.#programs.client),
      server: outcomeOf(this.#programs.server),
      packets: this.#packets,
      steps: this.#steps,
      tookMs: clock.now() / NANOS_PER_MS,
    };
  }

  #open(): void {
    const { client, server } = this.#hosts;
    const { opens = 'client', ipVersion = 4 } = this.#options;
    const ips = ADDRESSES[ipVersion];
    const { client: clientProgram, server: serverProgram } = this.#programs;
    if (opens === 'client') {
      const listener = server.listen({ port: PORT });
      listener.onConnection = () => {
        const socket = listener.accept();
        if (socket !== undefined) serverProgram.take(socket);
      };
    }
    clientProgram.take(client.connect({ ip: ips.server, port: PORT }, { from: { port: CLIENT_PORT } }));
    if (opens === 'both')
      serverProgram.take(server.connect({ ip: ips.client, port: CLIENT_PORT }, { from: { port: PORT } }));
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
    const { client, server } = this.#programs;
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
    for (const [name, { socket, error, hasSeenEnd, hasAborted }] of Object.entries(this.#programs))
      demand(
        socket === undefined || hasSeenEnd || hasAborted || error !== undefined || !socket.block.isHeld,
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

const outcomeOf = ({ sent, received, hasSeenEnd, error }: Program): SideOutcome => ({
  sent,
  received,
  hasSeenEnd,
  error,
});
