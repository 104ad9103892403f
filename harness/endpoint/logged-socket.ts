/** A socket whose calls are recorded: what listeners and connections have in common, whoever drives them. */
import type { Clock } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import type { CallLog, CallRecord } from './call-record.js';
import { SocketError, type SocketOptions, WaitTimeout } from './endpoint.js';
import type { Outcome, SocketDriver } from './socket-driver.js';
import { encodeOption, type SocketOption, socketOption } from './socket-options.js';

/** What all sockets of one endpoint share. */
export interface SocketContext {
  readonly side: Side;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Takes over a socket that was made: the endpoint frees it at its own end if nobody did before. */
  adopt(driver: SocketDriver): LoggedSocket;
}

export class LoggedSocket {
  readonly #onClosed: () => void;

  constructor(
    readonly context: SocketContext,
    readonly driver: SocketDriver,
    /** From 1 in the order the endpoint's sockets were made. */
    readonly number: number,
    onClosed: () => void,
  ) {
    this.#onClosed = onClosed;
  }

  /** Makes a call and logs it with its result. The step begins at once, before this returns. */
  async call<T>(
    call: string,
    args: CallRecord['args'],
    step: () => Outcome<T>,
    outcome: (value: T) => CallRecord['result'],
  ): Promise<T> {
    const { side, clock, log } = this.context;
    const atNs = clock.now();
    const record = (result: CallRecord['result']) =>
      log({ kind: 'call', atNs, returnedNs: clock.now(), side, call, socket: this.number, args, result });
    try {
      const pending = step();
      const value = pending instanceof Promise ? await pending : pending;
      record(outcome(value));
      return value;
    } catch (error) {
      if (error instanceof SocketError) record({ kind: 'error', errno: error.errno });
      if (error instanceof WaitTimeout) record({ kind: 'timeout', withinMs: error.withinMs });
      throw error;
    }
  }

  async setOption(name: string, value: number | string): Promise<void> {
    const option = socketOption(name);
    encodeOption(option, value); // Refuses a value that is none for it, before anything is called.
    await this.call(
      'setOption',
      { name, value },
      () => this.driver.setOption(option, value),
      () => ({ kind: 'ok' }),
    );
  }

  async setOptions(options: SocketOptions = {}): Promise<void> {
    for (const [name, value] of Object.entries(options)) await this.setOption(name, value);
  }

  async getOption(name: string): Promise<number> {
    const value = await this.#option(socketOption(name));
    if (typeof value === 'number') return value;
    throw new RangeError(`${name} is no number: read it with getTextOption`);
  }

  async getTextOption(name: string): Promise<string> {
    const value = await this.#option(socketOption(name));
    if (typeof value === 'string') return value;
    throw new RangeError(`${name} is a number: read it with getOption`);
  }

  #option(option: SocketOption): Promise<number | string> {
    return this.call(
      'getOption',
      { name: option.name },
      () => this.driver.getOption(option),
      (value) => ({ kind: 'ok', value }),
    );
  }

  close(): Promise<void> {
    return this.#end('close', () => this.driver.close());
  }

  abort(): Promise<void> {
    return this.#end('abort', () => this.driver.abort());
  }

  #end(call: string, step: () => Outcome<void>): Promise<void> {
    return this.call(
      call,
      {},
      () => {
        const ended = step();
        this.#onClosed();
        return ended;
      },
      () => ({ kind: 'ok' }),
    );
  }

  /** Frees it without waiting for a linger time and without a word in the log. */
  dispose(): Outcome<void> {
    this.#onClosed();
    return this.driver.dispose();
  }
}
