/**
 * An endpoint that nobody drives: a user's application, which listens already and does what it does. Its calls wait until the wire shows
 * that the application has done what they are for; what only a driver could do is `Unsupported`. No call is recorded: nobody saw the
 * application make one.
 */
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import {
  type Address,
  type Connection,
  type Endpoint,
  type Listener,
  type Received,
  SocketError,
  type SocketState,
  Unsupported,
  WaitTimeout,
} from '../../endpoint/index.js';
import type { WireControl } from '../../wire/index.js';
import type { Dialogue } from './dialogue.js';
import { type FlowProgress, flowProgress } from './flow-progress.js';

export interface ApplicationOptions {
  /** For people: `nginx in container web-1`. */
  readonly text: string;
  /** `linux@6.12`: the kernel that it runs on. */
  readonly stack: string;
  readonly address: Address;
  readonly clock: Clock;
  readonly wire: WireControl;
  /** What the client says to it in the place of what a story has it say. */
  readonly dialogue: Dialogue;
  readonly sockets: () => Promise<readonly SocketState[]>;
  /** Whether the program is still there; default: it is. */
  readonly isAlive?: () => boolean;
}

/** The program has ended in the middle of a story. */
export class ApplicationEnded extends Error {
  override readonly name = 'ApplicationEnded';
}

type ListenOptions = NonNullable<Parameters<Endpoint['listen']>[0]>;

const WITHIN_MS = 10_000;
/** The wire tells of segments it was asked for beforehand; how far a stream has come is looked up. */
const LOOK_EVERY_MS = 10;

export class ApplicationEndpoint implements Endpoint {
  readonly side = 'server';
  readonly stack: string;
  readonly ip: string;
  readonly #options: ApplicationOptions;
  /** Where a story would have had it listen. */
  readonly #storyPorts = new Set<number>();
  #accepted = 0;

  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.stack = options.stack;
    this.ip = options.address.ip;
  }

  /** It listens already, wherever a story would like it to. */
  async listen({ port, options = {} }: ListenOptions = {}): Promise<Listener> {
    if (Object.keys(options).length > 0) return this.#refuse('set an option of its socket');
    if (port !== undefined) this.#storyPorts.add(port);
    return {
      local: this.#options.address,
      accept: ({ withinMs = WITHIN_MS } = {}) => this.#accept(withinMs),
      setOption: () => this.#refuse('set an option of its socket'),
      getOption: () => this.#refuse('read an option of its socket'),
      getTextOption: () => this.#refuse('read an option of its socket'),
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** Where a client of the story's comes to it. Ports that the story leaves without a listener stay what they are. */
  reachedAt(address: Address): Address {
    const isIts = address.ip === this.ip && this.#storyPorts.has(address.port);
    return isIts ? this.#options.address : address;
  }

  open(): Promise<Connection> {
    return this.#refuse('open a connection');
  }

  connect(): Promise<Connection> {
    return this.#refuse('open a connection');
  }

  async sockets(): Promise<readonly SocketState[]> {
    expectAlive(this.#options);
    return this.#options.sockets();
  }

  async #accept(withinMs: number): Promise<Connection> {
    this.#accepted += 1;
    const connection = new ApplicationConnection(this.#options, this.#accepted);
    await connection.until('accept', ({ isOpen }) => isOpen, withinMs);
    return connection;
  }

  #refuse(what: string): Promise<never> {
    return Promise.reject(refusal(this.#options, what));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class ApplicationConnection implements Connection {
  readonly established = Promise.resolve();
  readonly #options: ApplicationOptions;
  readonly #flow: number;
  /** Octets that the story has read, and had the application send. */
  #read = 0;
  #said = 0;

  constructor(options: ApplicationOptions, flow: number) {
    this.#options = options;
    this.#flow = flow;
  }

  get local(): Address {
    return this.#options.address;
  }

  get remote(): Address {
    throw refusal(this.#options, 'name the other end of a connection');
  }

  get #progress(): FlowProgress {
    return flowProgress(this.#options.wire.records(), this.#flow);
  }

  /** Waits until the wire has shown that it is so. */
  async until(call: string, isSo: (progress: FlowProgress) => boolean, withinMs = WITHIN_MS): Promise<void> {
    const { clock, text } = this.#options;
    const deadlineNs = clock.now() + withinMs * NANOS_PER_MS;
    for (;;) {
      const progress = this.#progress;
      if (isSo(progress)) return;
      expectAlive(this.#options);
      if (progress.isReset) throw new SocketError('ECONNRESET', call, text);
      if (clock.now() >= deadlineNs) throw new WaitTimeout(`${text}: ${call}`, withinMs);
      await new Promise<void>((resolve) =>
        clock.at(Math.min(deadlineNs, clock.now() + LOOK_EVERY_MS * NANOS_PER_MS), resolve),
      );
    }
  }

  /** Waits for something of the application's own to say; what, is its own affair. */
  async send(data: Uint8Array | string, { withinMs = WITHIN_MS } = {}): Promise<number> {
    if (this.#options.dialogue.isSilent) return Buffer.byteLength(data);
    const said = this.#said;
    await this.until('send', ({ octetsFrom }) => octetsFrom.server > said, withinMs);
    this.#said = this.#progress.octetsFrom.server;
    return Buffer.byteLength(data);
  }

  async receive({ withinMs = WITHIN_MS } = {}): Promise<Received> {
    const has = (): number => this.#progress.octetsTo.server - this.#read;
    await this.until('receive', ({ isEndedTo }) => has() > 0 || isEndedTo.server, withinMs);
    const octets = has();
    if (octets === 0) return { kind: 'end' };
    this.#read += octets;
    return { kind: 'data', data: new Uint8Array(octets) };
  }

  /**
   * With `octets`: all that the client has said by now. It has reached its kernel then; whether its program reads it is its own affair,
   * and the octets are not shown.
   */
  async receiveAll({
    octets,
    withinMs = WITHIN_MS,
  }: {
    readonly octets?: number;
    readonly withinMs?: number;
  } = {}): Promise<{ data: Uint8Array; ended: boolean }> {
    const wanted = octets === undefined ? Number.POSITIVE_INFINITY : this.#options.dialogue.saidOctets;
    await this.until('receive', (at) => at.octetsTo.server >= wanted || at.isEndedTo.server, withinMs);
    const { octetsTo, isEndedTo } = this.#progress;
    const taken = Math.min(wanted, octetsTo.server) - this.#read;
    this.#read += taken;
    return { data: new Uint8Array(taken), ended: isEndedTo.server };
  }

  async shutdown(how: 'read' | 'write' | 'both'): Promise<void> {
    if (how !== 'read') await this.close();
  }

  /** Waits until it has closed by itself. One that was reset is closed: nobody's close is refused for that. */
  async close(): Promise<void> {
    await this.until('close', ({ hasFinFrom, isReset }) => hasFinFrom.server || isReset);
  }

  abort(): Promise<void> {
    return this.#refuse('abort a connection');
  }

  setOption(): Promise<void> {
    return this.#refuse('set an option of its socket');
  }

  getOption(): Promise<number> {
    return this.#refuse('read an option of its socket');
  }

  getTextOption(): Promise<string> {
    return this.#refuse('read an option of its socket');
  }

  info(): Promise<never> {
    return this.#refuse('read TCP_INFO of its socket');
  }

  state(): Promise<never> {
    return this.#refuse('read the state of its socket');
  }

  queues(): Promise<never> {
    return this.#refuse('read the queues of its socket');
  }

  atUrgentMark(): Promise<boolean> {
    return this.#refuse('look for urgent data');
  }

  error(): Promise<string | undefined> {
    return this.#refuse('read the error of its socket');
  }

  poll(): Promise<never> {
    return this.#refuse('poll its socket');
  }

  #refuse(what: string): Promise<never> {
    return Promise.reject(refusal(this.#options, what));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function expectAlive({ isAlive, text }: ApplicationOptions): void {
  if (isAlive?.() === false) throw new ApplicationEnded(`${text} has ended while a story was played with it`);
}

const refusal = ({ text }: ApplicationOptions, what: string): Unsupported =>
  new Unsupported(`${text} is not lastack's to drive: it cannot be told to ${what}`);
