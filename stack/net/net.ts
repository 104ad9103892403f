/** The stack with Node's face: `connect` and `createServer` as in `node:net`, so that http, https and tls run over it unchanged. */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { StackError, type TcpStack } from '../host/index.js';
import { Liveness } from './liveness.js';
import { StackServer, type StackServerOptions } from './stack-server.js';
import { StackSocket, type StackSocketOptions } from './stack-socket.js';
import { nodeError, systemError } from './system-error.js';

export interface NetConnectOptions extends StackSocketOptions {
  readonly port?: number | string | null | undefined;
  /** An address, or a name to look up. */
  readonly host?: string | null | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly family?: number | undefined;
  /** Default: `dns.lookup`: names are the machine's, not the stack's. */
  readonly lookup?: LookupFunction | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly keepAliveInitialDelay?: number | undefined;
  /** Of `socket.setTimeout`. */
  readonly timeout?: number | undefined;
}

export class Net {
  readonly #stack: TcpStack;
  readonly #liveness: Liveness;

  constructor(stack: TcpStack, liveness = new Liveness()) {
    this.#stack = stack;
    this.#liveness = liveness;
  }

  /**
   * `connect({ port, host, ... }, onConnect)` or `connect(port, host, onConnect)`. A function of its own: it can be given to
   * `http.request` as `createConnection`.
   */
  readonly connect = (
    to: NetConnectOptions | number,
    ...rest: (string | (() => void) | ((...all: never[]) => void) | undefined)[]
  ): StackSocket => {
    const host = rest.find((each) => typeof each === 'string');
    const options = typeof to === 'number' ? { port: to, host } : to;
    const onConnect = rest.find((each) => typeof each === 'function') as (() => void) | undefined;
    const socket = new StackSocket(this.#liveness, options);
    if (onConnect !== undefined) socket.once('connect', onConnect);
    if (options.noDelay === true) socket.setNoDelay(true);
    if (options.keepAlive === true) socket.setKeepAlive(true, options.keepAliveInitialDelay);
    if (options.timeout !== undefined && options.timeout > 0) socket.setTimeout(options.timeout);
    this.#resolve(socket, options);
    return socket;
  };

  /** The same, by the name that agents know it by. */
  readonly createConnection = this.connect;

  readonly createServer = (
    options?: StackServerOptions | ((socket: StackSocket) => void),
    onConnection?: (socket: StackSocket) => void,
  ): StackServer => {
    const server = new StackServer(
      this.#stack,
      this.#liveness,
      typeof options === 'object' ? options : undefined,
    );
    const listener = typeof options === 'function' ? options : onConnection;
    if (listener !== undefined) server.on('connection', listener);
    return server;
  };

  #resolve(socket: StackSocket, options: NetConnectOptions): void {
    const { host } = options;
    const port = Number(options.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw nodeError('ERR_SOCKET_BAD_PORT', `port should be 0 to 65535, not ${String(options.port)}`);
    if (host === undefined || host === null || host === '')
      throw nodeError('ERR_INVALID_ARG_VALUE', 'a host is needed: the stack has no loopback to fall back on');
    if (isIP(host) !== 0) {
      this.#open(socket, host, port, options);
      return;
    }
    const family = options.family === 4 || options.family === 6 ? options.family : 0;
    const lookup: LookupFunction = options.lookup ?? systemLookup;
    lookup(host, { family }, (error, found, foundFamily) => {
      if (socket.destroyed) return;
      const [first = undefined] = Array.isArray(found) ? found : [{ address: found, family: foundFamily }];
      socket.emit('lookup', error, first?.address, first?.family, host);
      if (error !== null || first?.address === undefined)
        socket.destroy(error ?? systemError('ENOTFOUND', 'getaddrinfo', { address: host }));
      else this.#open(socket, first.address, port, options);
    });
  }

  #open(socket: StackSocket, ip: string, port: number, { localAddress, localPort }: NetConnectOptions): void {
    try {
      const tcp = this.#stack.connect(
        { ip, port },
        {
          from: {
            ...(localAddress === undefined ? {} : { ip: localAddress }),
            ...(localPort === undefined ? {} : { port: localPort }),
          },
        },
      );
      socket.attach(tcp);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      const told = systemError(error.code, 'connect', { address: ip, port });
      process.nextTick(() => socket.destroy(told));
    }
  }
}
