/** Waiting for what a stack of this process will do: whoever waits looks again whenever something has happened to its socket. */
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import { SocketError, WaitTimeout } from '../endpoint.js';

/** Why a wait ended: something happened, the deadline, or the socket was closed meanwhile. */
type Wake = 'ready' | 'timeout' | 'closed';

export class Waits {
  readonly #clock: Clock;
  readonly #waiting = new Set<(why: Wake) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has happened to the socket. */
  wake(): void {
    this.#endAll('ready');
  }

  /** The socket is gone: all that wait for it hear EBADF. */
  close(): void {
    this.#endAll('closed');
  }

  /** Repeats an attempt that gives undefined for "not now", whenever something has happened, within a limit. */
  async until<T>(call: string, withinMs: number, attempt: () => T | undefined): Promise<T> {
    const untilNs = this.#clock.now() + withinMs * NANOS_PER_MS;
    for (;;) {
      const value = attempt();
      if (value !== undefined) return value;
      const wake = await this.#next(untilNs);
      if (wake === 'closed') throw new SocketError('EBADF', call, 'this socket was closed meanwhile');
      if (wake === 'ready') continue;
      // On a busy machine the timer may be served before what came earlier: look once more.
      const last = attempt();
      if (last !== undefined) return last;
      throw new WaitTimeout(call, withinMs);
    }
  }

  #next(untilNs: number): Promise<Wake> {
    return new Promise((resolve) => {
      const end = (why: Wake): void => {
        this.#waiting.delete(end);
        timer.cancel();
        resolve(why);
      };
      const timer = this.#clock.at(untilNs, () => end('timeout'));
      this.#waiting.add(end);
    });
  }

  #endAll(why: Wake): void {
    for (const end of [...this.#waiting]) end(why);
  }
}
