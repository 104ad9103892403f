/** Passive OPEN of RFC 9293 section 3.10.1 as programs know it: a listener, and the connections that it has for `accept`. */
import type { SocketAddress, TcpSettings } from '../tcp/index.js';
import type { TcpSocket } from './tcp-socket.js';

export interface ListenerOptions {
  readonly local: SocketAddress;
  readonly settings: TcpSettings;
  /** Connections that wait to be accepted, and openings that are under way: at most so many of each. */
  readonly backlog: number;
  readonly fastOpen: boolean;
  /** Called when the program lets go of it. */
  readonly closed: (listener: TcpListener) => void;
}

export class TcpListener {
  readonly local: SocketAddress;
  readonly backlog: number;
  readonly fastOpen: boolean;
  settings: TcpSettings;
  /** Called when a connection waits to be accepted. */
  onConnection: (() => void) | undefined;
  /** In SYN-RECEIVED. */
  readonly opening = new Set<TcpSocket>();
  /** In SYN-RECEIVED, and with the program already (RFC 7413 section 4.2). */
  readonly fastOpening = new Set<TcpSocket>();
  /** Of the stack's clock: since then SYNs were answered with cookies. */
  cookiesSinceNs = Number.NEGATIVE_INFINITY;
  readonly #waiting: TcpSocket[] = [];
  readonly #closed: (listener: TcpListener) => void;
  #isOpen = true;

  constructor({ local, settings, backlog, fastOpen, closed }: ListenerOptions) {
    this.local = local;
    this.settings = settings;
    this.backlog = backlog;
    this.fastOpen = fastOpen;
    this.#closed = closed;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.backlog;
  }

  /** The connection that has waited longest; undefined: none. */
  accept(): TcpSocket | undefined {
    return this.#waiting.shift();
  }

  /** For the stack. */
  offer(socket: TcpSocket): void {
    this.#waiting.push(socket);
    this.onConnection?.();
  }

  /** For the stack: one that waits has ended. Programs get it all the same, to learn why. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // Nobody will accept them: their clients must learn it.
    for (const socket of [...this.opening, ...this.#waiting.splice(0)]) socket.abort();
    this.opening.clear();
    this.#closed(this);
  }
}
