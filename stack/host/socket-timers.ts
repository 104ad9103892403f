/** One timer of the clock for all of a connection's. One that comes too early is cheaper than to move it with each segment. */
import type { StackClock, StackTimer } from './stack-options.js';
import type { TcpSocket } from './tcp-socket.js';

interface Armed {
  readonly timer: StackTimer;
  readonly atNs: number;
}

export class SocketTimers {
  readonly #clock: StackClock;
  readonly #expire: (socket: TcpSocket) => void;
  readonly #armed = new Map<TcpSocket, Armed>();

  /** `expire`: called when something may be due. */
  constructor(clock: StackClock, expire: (socket: TcpSocket) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  arm(socket: TcpSocket): void {
    const nextNs = socket.nextTimerNs;
    const armed = this.#armed.get(socket);
    if (armed !== undefined && armed.atNs <= nextNs) return;
    armed?.timer.cancel();
    if (nextNs === Number.POSITIVE_INFINITY) return;
    const timer = this.#clock.at(nextNs, () => {
      this.#armed.delete(socket);
      this.#expire(socket);
    });
    this.#armed.set(socket, { timer, atNs: nextNs });
  }

  cancel(socket: TcpSocket): void {
    this.#armed.get(socket)?.timer.cancel();
    this.#armed.delete(socket);
  }

  cancelAll(): void {
    for (const { timer } of this.#armed.values()) timer.cancel();
    this.#armed.clear();
  }
}
