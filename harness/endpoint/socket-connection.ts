/** A TCP connection through the socket API. */
import { NANOS_PER_MS } from '../clock/index.js';
import type { Address, Connection, MessageFlag, PollEvents, Received } from './endpoint.js';
import { WaitTimeout } from './endpoint.js';
import type { LoggedSocket } from './logged-socket.js';
import type { Outcome, Queues } from './socket-driver.js';
import type { TcpInfo } from './tcp-info.js';
import type { TcpState } from './tcp-state.js';

const WITHIN_MS = 10_000;
const RECEIVE_OCTETS = 65536;

const flagArgs = (flags: readonly MessageFlag[]) => (flags.length === 0 ? {} : { flags: flags.join(' ') });

export class SocketConnection implements Connection {
  readonly #socket: LoggedSocket;
  readonly local: Address;
  readonly remote: Address;
  readonly established: Promise<void>;

  constructor(
    socket: LoggedSocket,
    ends: { readonly local: Address; readonly remote: Address },
    established: Promise<void>,
  ) {
    this.#socket = socket;
    this.local = ends.local;
    this.remote = ends.remote;
    this.established = established;
  }

  send(
    data: Uint8Array | string,
    { flags = [], withinMs = WITHIN_MS }: { flags?: readonly MessageFlag[]; withinMs?: number } = {},
  ): Promise<number> {
    const octets = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    return this.#socket.call(
      'send',
      { octets: octets.length, ...flagArgs(flags) },
      () => this.#socket.driver.send(octets, { flags, withinMs }),
      (taken) => ({ kind: 'ok', value: taken }),
    );
  }

  async receive({
    max = RECEIVE_OCTETS,
    flags = [],
    withinMs = WITHIN_MS,
  }: {
    max?: number;
    flags?: readonly MessageFlag[];
    withinMs?: number;
  } = {}): Promise<Received> {
    if (!(max >= 1)) throw new RangeError(`receive: max is ${max}, and at least 1 octet must be asked for`);
    return this.#socket.call(
      'receive',
      { max, ...flagArgs(flags) },
      () => this.#socket.driver.receive(max, { flags, withinMs }),
      (received) =>
        received.kind === 'end' ? { kind: 'end' } : { kind: 'data', octets: received.data.length },
    );
  }

  async receiveAll({
    octets = Number.POSITIVE_INFINITY,
    withinMs = WITHIN_MS,
  }: {
    octets?: number;
    withinMs?: number;
  } = {}): Promise<{ data: Uint8Array; ended: boolean }> {
    const { clock } = this.#socket.context;
    const untilNs = clock.now() + withinMs * NANOS_PER_MS;
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < octets) {
      const remainsMs = Math.max(0, (untilNs - clock.now()) / NANOS_PER_MS);
      const received = await this.receive({
        max: Math.min(octets - got, RECEIVE_OCTETS),
        withinMs: remainsMs,
      }).catch((error: unknown) => {
        if (!(error instanceof WaitTimeout)) throw error;
        const wanted = Number.isFinite(octets) ? `${octets} octets` : 'the end of the stream';
        throw new WaitTimeout('receiveAll', withinMs, `${got} octets came while waiting for ${wanted}`);
      });
      if (received.kind === 'end') return { data: Buffer.concat(parts), ended: true };
      parts.push(received.data);
      got += received.data.length;
    }
    return { data: Buffer.concat(parts), ended: false };
  }

  shutdown(how: 'read' | 'write' | 'both'): Promise<void> {
    return this.#socket.call(
      'shutdown',
      { how },
      () => this.#socket.driver.shutdown(how),
      () => ({ kind: 'ok' }),
    );
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  abort(): Promise<void> {
    return this.#socket.abort();
  }

  setOption(name: string, value: number | string): Promise<void> {
    return this.#socket.setOption(name, value);
  }

  getOption(name: string): Promise<number> {
    return this.#socket.getOption(name);
  }

  getTextOption(name: string): Promise<string> {
    return this.#socket.getTextOption(name);
  }

  info(): Promise<TcpInfo> {
    return this.#ask(
      'info',
      () => this.#socket.driver.info(),
      ({ state }) => state,
    );
  }

  state(): Promise<TcpState> {
    return this.#ask(
      'state',
      () => this.#socket.driver.state(),
      (state) => state,
    );
  }

  queues(): Promise<Queues> {
    return this.#ask(
      'queues',
      () => this.#socket.driver.queues(),
      (queues) => `receive ${queues.recvOctets}, send ${queues.sendOctets}, unsent ${queues.unsentOctets}`,
    );
  }

  atUrgentMark(): Promise<boolean> {
    return this.#ask('atUrgentMark', () => this.#socket.driver.isAtUrgentMark(), Number);
  }

  error(): Promise<string | undefined> {
    return this.#ask(
      'error',
      () => this.#socket.driver.takeError(),
      (errno) => errno ?? 'none',
    );
  }

  poll(): Promise<PollEvents> {
    return this.#ask('poll', () => this.#socket.driver.poll(), namesOf);
  }

  #ask<T>(call: string, step: () => Outcome<T>, shown: (value: T) => string | number): Promise<T> {
    return this.#socket.call(call, {}, step, (value) => ({ kind: 'ok', value: shown(value) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.dispose();
  }
}

const namesOf = (events: PollEvents): string =>
  Object.entries(events)
    .filter(([, isSet]) => isSet)
    .map(([name]) => name)
    .join(' ');
