/**
 * The kernel's tracepoints on TCP sockets, as data with the stamps of CLOCK_MONOTONIC. One tracing instance serves the
 * whole process: it hears every namespace, and each lab's tap takes what belongs to its addresses.
 */
import koffi from 'koffi';
import type { Address } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { checkAgain, libc } from '../sys/index.js';
import { type EventFormat, parseEventFormat } from './event-format.js';
import { parsePage, type RawRecord } from './ring-buffer.js';
import { decodeEvent, type TracepointEvent, type UnplacedEvent } from './tracepoint-event.js';
import { findTracefs, TracingInstance } from './tracing-instance.js';

/** The tracepoints in use. Only the first is indispensable: the others explain, and old kernels lack some. */
export const TRACEPOINTS = [
  'sock/inet_sock_set_state',
  'tcp/tcp_retransmit_skb',
  'tcp/tcp_retransmit_synack',
  'tcp/tcp_send_reset',
  'tcp/tcp_receive_reset',
  'tcp/tcp_destroy_sock',
] as const;
type PollHandle = ReturnType<typeof koffi.node.poll>;

const BUFFER_KIB = 2048;
const WAKE_AT_PERCENT = 25;
const READ_OCTETS = 65536;

/** Whose event is this? `undefined`: not this lab's. */
export type SideOf = (local: Address, remote: Address) => Side | undefined;

/** The kernel overwrote events before they were read: what a lab saw has holes. */
export class TraceOverrun extends Error {
  override readonly name = 'TraceOverrun';
  constructor() {
    super(
      `the tracing buffer ran over and events are lost: run fewer scenarios at once, or use sock_diag as the eye`,
    );
  }
}

/** One lab's part of what the tracepoints say. */
export class TracepointTap implements Disposable {
  readonly #events: TracepointEvent[] = [];
  #overrun = false;

  constructor(
    private readonly session: TracepointSession,
    private readonly epochNs: bigint,
    private readonly sideOf: SideOf,
  ) {}

  /** All events of this lab from the start up to now, by time. Throws `TraceOverrun` once any were lost. */
  flush(): readonly TracepointEvent[] {
    this.session.drain();
    if (this.#overrun) throw new TraceOverrun();
    return [...this.#events];
  }

  /** For the session. */
  offer({ stampNs, ...event }: UnplacedEvent): void {
    const side = this.sideOf(event.local, event.remote);
    if (side !== undefined) this.#events.push({ ...event, side, atNs: Number(stampNs - this.epochNs) });
  }

  /** For the session. */
  noteOverrun(): void {
    this.#overrun = true;
  }

  [Symbol.dispose](): void {
    this.session.close(this);
  }
}

export class TracepointSession implements Disposable {
  static #shared: TracepointSession | undefined;
  readonly #instance: TracingInstance;
  readonly #formats = new Map<number, EventFormat>();
  readonly #pipes: readonly number[];
  readonly #polls: readonly PollHandle[];
  readonly #taps = new Set<TracepointTap>();
  readonly #socketNumbers = new Map<bigint, number>();
  readonly #page = new Uint8Array(READ_OCTETS);
  readonly #disposeAtExit = () => this[Symbol.dispose]();
  /** Tracepoints that this kernel lacks. */
  readonly missing: readonly string[];

  /** `shared` is what labs use. A session of one's own, with buffers of another size, must be disposed of. */
  constructor(root: string, bufferKib = BUFFER_KIB) {
    this.#instance = TracingInstance.create(root);
    try {
      this.#instance.set('trace_clock', 'mono');
      this.#instance.set('buffer_size_kb', bufferKib);
      this.#instance.set('buffer_percent', WAKE_AT_PERCENT);
      this.missing = TRACEPOINTS.filter((event) => !this.#enable(event));
      if (this.missing.includes(TRACEPOINTS[0]))
        throw new Error('this kernel lacks sock:inet_sock_set_state (Linux 4.16)');
      const cpus = this.#instance.list('per_cpu');
      this.#pipes = cpus.map((cpu) => this.#instance.open(`per_cpu/${cpu}/trace_pipe_raw`));
      this.#polls = this.#pipes.map((fd) => this.#drainWhenFilling(fd));
      // koffi 3.3 aborts a process that ends with a poll under way: ours end before, and before their files do.
      process.prependOnceListener('exit', this.#disposeAtExit);
    } catch (error) {
      this.#instance[Symbol.dispose]();
      throw error;
    }
  }

  /** The process's one session, made at the first call; it stays until the process ends. Throws where `findTracefs` says why not. */
  static shared(): TracepointSession {
    if (TracepointSession.#shared === undefined) {
      const tracefs = findTracefs();
      if ('why' in tracefs) throw new Error(tracefs.why);
      TracepointSession.#shared = new TracepointSession(tracefs.root);
    }
    return TracepointSession.#shared;
  }

  /** From now on collects the events of one lab, with stamps since `epochNs` of CLOCK_MONOTONIC. */
  tap(options: { readonly epochNs: bigint; readonly sideOf: SideOf }): TracepointTap {
    this.drain();
    const tap = new TracepointTap(this, options.epochNs, options.sideOf);
    this.#taps.add(tap);
    return tap;
  }

  close(tap: TracepointTap): void {
    this.#taps.delete(tap);
  }

  /** Hands everything that the kernel has recorded so far to the taps. Never waits. */
  drain(): void {
    const events: UnplacedEvent[] = [];
    for (const fd of this.#pipes) this.#drainPipe(fd, events);
    events.sort((a, b) => Number(a.stampNs - b.stampNs));
    for (const event of events) for (const tap of this.#taps) tap.offer(event);
  }

  [Symbol.dispose](): void {
    if (TracepointSession.#shared === this) TracepointSession.#shared = undefined;
    process.removeListener('exit', this.#disposeAtExit);
    for (const poll of this.#polls) poll.close();
    this.#instance[Symbol.dispose]();
  }

  #enable(event: string): boolean {
    try {
      const format = parseEventFormat(this.#instance.read(`events/${event}/format`));
      this.#formats.set(format.id, format);
      this.#instance.set(`events/${event}/enable`, 1);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Between flushes a full buffer must not run over: the kernel wakes us when a part of it is filled. */
  #drainWhenFilling(fd: number): PollHandle {
    const poll = koffi.node.poll(fd, { readable: true }, () => this.drain());
    poll.unref();
    return poll;
  }

  #drainPipe(fd: number, into: UnplacedEvent[]): void {
    for (;;) {
      const octets = checkAgain(libc.read(fd, this.#page, this.#page.length), 'read(trace_pipe_raw)');
      if (octets === undefined || octets === 0) return;
      const page = parsePage(this.#page.slice(0, octets));
      if (page.lostBefore) for (const tap of this.#taps) tap.noteOverrun();
      for (const record of page.records) {
        const event = this.#decode(record);
        if (event !== undefined) into.push(event);
      }
    }
  }

  #decode(record: RawRecord): UnplacedEvent | undefined {
    const format = this.#formats.get(record.data.getUint16(0, true));
    return format && decodeEvent(format, record, (address) => this.#numberOf(address));
  }

  /** Kernel addresses stay in here: a trace that is passed on must not give them away. */
  #numberOf(address: bigint): number {
    if (address === 0n) return 0;
    const known = this.#socketNumbers.get(address);
    if (known !== undefined) return known;
    this.#socketNumbers.set(address, this.#socketNumbers.size + 1);
    return this.#socketNumbers.size;
  }
}
