/**
 * What a guest's own tracepoints say of its TCP sockets, read through its agent. Reading takes no virtual time; the stamps are the
 * guest's clock. Each lab's tap takes what belongs to its addresses.
 */
import type { Nanos } from '../../clock/index.js';
import type { Address, AgentClient } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import {
  decodeEvent,
  type EventFormat,
  MINI_SOCK_TRACEPOINT,
  parseEventFormat,
  parsePage,
  TRACEPOINTS,
  TraceOverrun,
  type TracepointEvent,
} from '../../observe/index.js';

const ROOT = '/sys/kernel/tracing';
const PIPE = `${ROOT}/per_cpu/cpu0/trace_pipe_raw`;
const BUFFER_KIB = 1024;
/** Read at once: sixteen pages and what the agent adds to each. */
const READ_OCTETS = 66_000;
/** When so many came there may be more: with fewer, the agent found the end. */
const MAY_HAVE_MORE_PAGES = 16;
const OWN_NAMESPACE = 0;

export interface TracingTap {
  /** Whose event is this? Undefined: not this lab's. */
  sideOf(local: Address, remote: Address): Side | undefined;
  /** `atNs` is on the timeline. */
  take(event: TracepointEvent): void;
  overrun(error: TraceOverrun): void;
}

export class GuestTracing {
  readonly #client: AgentClient;
  readonly #file: number;
  readonly #formats: ReadonlyMap<number, EventFormat>;
  /** The timeline's time at 0 of the guest's tracing clock. */
  readonly #offsetNs: Nanos;
  readonly #taps = new Set<TracingTap>();
  readonly #socketNumbers = new Map<bigint, number>();
  #draining: Promise<void> | undefined;

  private constructor(
    client: AgentClient,
    options: { file: number; formats: ReadonlyMap<number, EventFormat>; offsetNs: Nanos },
  ) {
    this.#client = client;
    this.#file = options.file;
    this.#formats = options.formats;
    this.#offsetNs = options.offsetNs;
  }

  /** Switches the tracepoints on. `guestEpochNs` is the timeline's time at which the guest's clock was 0. */
  static async open(client: AgentClient, guestEpochNs: Nanos): Promise<GuestTracing> {
    const write = (file: string, text: string) => client.writeFile(OWN_NAMESPACE, `${ROOT}/${file}`, text);
    await write('trace_clock', 'mono');
    await write('buffer_size_kb', String(BUFFER_KIB));
    const formats = new Map<number, EventFormat>();
    for (const event of [...TRACEPOINTS, `sock/${MINI_SOCK_TRACEPOINT}`]) {
      const format = await formatOf(client, event);
      if (format === undefined) continue;
      formats.set(format.id, format);
      await write(`events/${event}/enable`, '1');
    }
    const names = new Set([...formats.values()].map(({ name }) => name));
    if (!names.has('inet_sock_set_state') || !names.has(MINI_SOCK_TRACEPOINT))
      throw new Error(
        'this kernel does not show the states of its sockets: build it with "lastack kernel build"',
      );
    const file = await client.open(OWN_NAMESPACE, PIPE, 'read');
    return new GuestTracing(client, { file, formats, offsetNs: guestEpochNs });
  }

  /** From now on hands this lab's events over. */
  add(tap: TracingTap): void {
    this.#taps.add(tap);
  }

  remove(tap: TracingTap): void {
    this.#taps.delete(tap);
  }

  /** Hands over everything that was recorded until now. */
  drain(): Promise<void> {
    // One after the other: pages are whole and in order.
    const before = this.#draining ?? Promise.resolve();
    const drained = before.then(() => this.#drain());
    this.#draining = drained.catch(() => {});
    return drained;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const pages = await this.#client.read(this.#file, READ_OCTETS);
      for (const page of pages) this.#takePage(page);
      if (pages.length < MAY_HAVE_MORE_PAGES) return;
    }
  }

  #takePage(octets: Uint8Array): void {
    const page = parsePage(octets);
    if (page.lostBefore) for (const tap of this.#taps) tap.overrun(new TraceOverrun());
    for (const record of page.records) {
      const format = this.#formats.get(record.data.getUint16(0, true));
      const event = format && decodeEvent(format, record, (address) => this.#numberOf(address));
      if (event === undefined) continue;
      const { stampNs, ...rest } = event;
      const atNs = Number(stampNs) + this.#offsetNs;
      for (const tap of this.#taps) {
        const side = tap.sideOf(event.local, event.remote);
        if (side !== undefined) tap.take({ ...rest, side, atNs });
      }
    }
  }

  /** Kernel addresses stay in here: they differ from run to run. */
  #numberOf(address: bigint): number {
    if (address === 0n) return 0;
    const known = this.#socketNumbers.get(address);
    if (known !== undefined) return known;
    this.#socketNumbers.set(address, this.#socketNumbers.size + 1);
    return this.#socketNumbers.size;
  }
}

/** Undefined where this kernel has no such tracepoint: only the states are indispensable. */
async function formatOf(client: AgentClient, event: string): Promise<EventFormat | undefined> {
  try {
    const octets = await client.readFile(OWN_NAMESPACE, `${ROOT}/events/${event}/format`);
    return parseEventFormat(new TextDecoder().decode(octets));
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}
