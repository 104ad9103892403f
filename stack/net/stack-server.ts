/** A server of the stack as Node programs know one: `net.Server` without the file descriptors. */
import { EventEmitter } from 'node:events';
import { StackError, type TcpListener, type TcpStack } from '../host/index.js';
import type { Liveness } from './liveness.js';
import { type SocketAddressInfo, StackSocket } from './stack-socket.js';
import { nodeError, systemError } from './system-error.js';

export interface StackServerOptions {
  readonly allowHalfOpen?: boolean;
  readonly highWaterMark?: number;
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}

export interface StackListenOptions {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly backlog?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type ListenArguments =
  | readonly [
      options: StackListenOptions | number | undefined,
      ...rest: (string | number | (() => void) | undefined)[],
    ]
  | readonly [onListening: () => void]
  | readonly [];

export class StackServer extends EventEmitter implements AsyncDisposable {
  /** Connections beyond it are closed at once, and 'drop' tells. */
  maxConnections: number | undefined;
  readonly #stack: TcpStack;
  readonly #liveness: Liveness;
  readonly #options: StackServerOptions;
  readonly #connections = new Set<StackSocket>();
  #listener: TcpListener | undefined;
  #isReferenced = true;
  #isClosing = false;

  constructor(stack: TcpStack, liveness: Liveness, options: StackServerOptions = {}) {
    super();
    this.#stack = stack;
    this.#liveness = liveness;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** As net.Server's: `(port, host, backlog, callback)`, each but the port may be left out, or one object. */
  listen(...given: ListenArguments): this {
    if (this.#listener !== undefined)
      throw nodeError('ERR_SERVER_ALREADY_LISTEN', 'Listen method has been called more than once');
    const { options, onListening } = listenArguments(given);
    if (onListening !== undefined) this.once('listening', onListening);
    const { port = 0, host, backlog, signal } = options;
    try {
      this.#listener = this.#open(host, port, backlog);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      const told = systemError(error.code, 'listen', { address: host, port });
      process.nextTick(() => this.emit('error', told));
      return this;
    }
    signal?.addEventListener('abort', () => this.close(), { once: true });
    this.#isClosing = false;
    if (this.#isReferenced) this.#liveness.hold(this);
    process.nextTick(() => {
      if (this.listening) this.emit('listening');
    });
    return this;
  }

  #open(host: string | undefined, port: number, backlog: number | undefined): TcpListener {
    const { noDelay, keepAlive, keepAliveInitialDelay = 0 } = this.#options;
    const listener = this.#stack.listen({
      port,
      ...(host === undefined ? {} : { ip: host }),
      ...(backlog === undefined ? {} : { backlog }),
      settings: {
        ...(noDelay === undefined ? {} : { noDelay }),
        ...(keepAlive === undefined ? {} : { keepAlive }),
        ...(keepAliveInitialDelay > 0 ? { keepAliveIdleMs: keepAliveInitialDelay } : {}),
      },
    });
    listener.onConnection = () => this.#accept(listener);
    return listener;
  }

  #accept(listener: TcpListener): void {
    const tcp = listener.accept();
    if (tcp === undefined) return;
    if (this.maxConnections !== undefined && this.#connections.size >= this.maxConnections) {
      tcp.abort();
      const { local, remote } = tcp;
      this.emit('drop', {
        localAddress: local.ip,
        localPort: local.port,
        remoteAddress: remote.ip,
        remotePort: remote.port,
      });
      return;
    }
    const { allowHalfOpen, highWaterMark } = this.#options;
    const socket = new StackSocket(this.#liveness, { allowHalfOpen, highWaterMark }).attach(tcp);
    this.#connections.add(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#closeIfDone();
    });
    this.emit('connection', socket);
    // As net.Server's sockets do: so that the end of one that nobody reads is noticed.
    socket.read(0);
  }

  address(): SocketAddressInfo | null {
    if (this.#listener === undefined) return null;
    const { ip, port } = this.#listener.local;
    return { address: ip, family: ip.includes(':') ? 'IPv6' : 'IPv4', port };
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections.size);
    return this;
  }

  /** Takes no more connections. `callback` and 'close' come when those that there are have ended. */
  close(callback?: (error?: Error) => void): this {
    if (callback !== undefined) {
      if (this.listening) this.once('close', callback);
      else {
        const error = nodeError('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
        this.once('close', () => callback(error));
      }
    }
    this.#listener?.close();
    this.#listener = undefined;
    this.#liveness.release(this);
    this.#isClosing = true;
    this.#closeIfDone();
    return this;
  }

  #closeIfDone(): void {
    if (!this.#isClosing || this.#connections.size > 0) return;
    this.#isClosing = false;
    process.nextTick(() => this.emit('close'));
  }

  ref(): this {
    this.#isReferenced = true;
    if (this.listening) this.#liveness.hold(this);
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.#liveness.release(this);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.listening) return;
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }
}

function listenArguments(given: ListenArguments): {
  readonly options: StackListenOptions;
  readonly onListening: (() => void) | undefined;
} {
  const [first, ...rest] = given;
  let options: { -readonly [K in keyof StackListenOptions]: StackListenOptions[K] } = {};
  if (typeof first === 'object') options = { ...first };
  else if (typeof first === 'number') options.port = first;
  let onListening = typeof first === 'function' ? first : undefined;
  for (const each of rest) {
    if (typeof each === 'string') options.host = each;
    else if (typeof each === 'number') options.backlog = each;
    else onListening ??= each;
  }
  return { options, onListening };
}
