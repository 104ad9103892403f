/**
 * The kernel that this machine runs as an endpoint: its sockets, made inside a network namespace and driven through libc.
 * Everything is non-blocking; waiting goes through Node's event loop.
 */
import { isIPv6 } from 'node:net';
import { release } from 'node:os';
import koffi from 'koffi';
import type { Clock } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import {
  AF_INET,
  AF_INET6,
  EPOLLOUT,
  encodeSockaddr,
  errnoName,
  IPPROTO_TCP,
  libc,
  type NetworkNamespace,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../sys/index.js';
import type { CallLog } from '../call-record.js';
import type {
  Address,
  Connection,
  Endpoint,
  Listener,
  OpenOptions,
  SocketOptions,
  SocketState,
} from '../endpoint.js';
import { SocketError, Unsupported } from '../endpoint.js';
import { KernelConnection, takeError } from './kernel-connection.js';
import { KernelListener } from './kernel-listener.js';
import { checked, type KernelContext, KernelSocket } from './kernel-socket.js';
import { Readiness } from './readiness.js';

export interface KernelEndpointOptions {
  readonly side: Side;
  readonly namespace: NetworkNamespace;
  /** Its own address in the namespace; decides the IP version of its sockets. */
  readonly ip: string;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Reads the states of the namespace's sockets (sock_diag). */
  readonly sockets?: () => readonly SocketState[];
}

const BACKLOG = 128;
/** Linux itself gives up after 127 s (tcp_syn_retries 6, doubling from 1 s); `WaitTimeout` must not come before. */
const OPEN_WITHIN_MS = 150_000;

export class KernelEndpoint implements Endpoint {
  readonly side: Side;
  readonly ip: string;
  readonly stack: string;
  readonly #namespace: NetworkNamespace;
  readonly #sockets: (() => readonly SocketState[]) | undefined;
  readonly #context: KernelContext;
  readonly #open = new Set<KernelSocket>();
  #made = 0;

  constructor({ side, namespace, ip, clock, log, sockets }: KernelEndpointOptions) {
    this.side = side;
    this.ip = ip;
    this.stack = `linux@${release()}`;
    this.#namespace = namespace;
    this.#sockets = sockets;
    this.#context = {
      side,
      clock,
      log,
      readiness: new Readiness(clock),
      release: release(),
      adopt: (fd) => this.#adopt(fd),
    };
  }

  async listen({
    ip = this.ip,
    port = 0,
    backlog = BACKLOG,
    options,
  }: {
    ip?: string;
    port?: number;
    backlog?: number;
    options?: SocketOptions;
  } = {}): Promise<Listener> {
    const socket = this.#socket();
    return this.#orFree(socket, async () => {
      await socket.setOptions(options);
      await socket.call(
        'listen',
        { ip, port, backlog },
        () => {
          bind(socket, { ip, port });
          checked(libc.listen(socket.fd('listen'), backlog), 'listen');
        },
        () => ({ kind: 'ok', value: socket.localAddress().port }),
      );
      return new KernelListener(this.#context, socket, socket.localAddress());
    });
  }

  async open(
    to: Address,
    { fromPort = 0, options, withinMs = OPEN_WITHIN_MS }: OpenOptions = {},
  ): Promise<Connection> {
    const socket = this.#socket();
    return this.#orFree(socket, async () => {
      await socket.setOptions(options);
      const address = sockaddr(to);
      if (fromPort !== 0) {
        const from = { ip: this.ip, port: fromPort };
        await socket.call(
          'bind',
          from,
          () => bind(socket, from),
          () => ({ kind: 'ok' }),
        );
      }
      const established = socket.call(
        'connect',
        { ip: to.ip, port: to.port },
        () => connect(socket, address, withinMs),
        () => ({ kind: 'ok' }),
      );
      const ends = { local: socket.localAddress(), remote: to };
      return new KernelConnection(this.#context, socket, ends, established);
    });
  }

  async connect(to: Address, options?: OpenOptions): Promise<Connection> {
    const connection = await this.open(to, options);
    try {
      await connection.established;
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  async sockets(): Promise<readonly SocketState[]> {
    if (this.#sockets === undefined) {
      throw new Unsupported('this endpoint was made without eyes on its sockets: pass `sockets` (sock_diag)');
    }
    return this.#sockets();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [...this.#open]) socket.dispose();
    this.#context.readiness[Symbol.dispose]();
  }

  #socket(): KernelSocket {
    const family = isIPv6(this.ip) ? AF_INET6 : AF_INET;
    const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = this.#namespace.run(() => checked(libc.socket(family, type, IPPROTO_TCP), 'socket'));
    return this.#adopt(fd);
  }

  #adopt(fd: number): KernelSocket {
    this.#made += 1;
    const socket = new KernelSocket(this.#context, fd, this.#made, () => this.#open.delete(socket));
    this.#open.add(socket);
    return socket;
  }

  async #orFree<T>(socket: KernelSocket, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      socket.dispose();
      throw error;
    }
  }
}

function sockaddr(address: Address): Uint8Array {
  const { port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new RangeError(`${port} is no port: give a whole number from 0 to 65535`);
  }
  return encodeSockaddr(address);
}

function bind(socket: KernelSocket, to: Address): void {
  const address = sockaddr(to);
  checked(libc.bind(socket.fd('bind'), address, address.length), 'bind', `${to.ip} port ${to.port}`);
}

/** Begins at once; resolves when the handshake is done, and rejects with what SO_ERROR says of it. */
function connect(socket: KernelSocket, address: Uint8Array, withinMs: number): Promise<void> {
  let begun = false;
  return socket
    .retry('connect', { events: EPOLLOUT, withinMs }, (fd) => {
      if (!begun) {
        begun = true;
        if (libc.connect(fd, address, address.length) === 0) return true;
        const errno = errnoName(koffi.errno());
        if (errno === 'EINPROGRESS') return undefined;
        throw new SocketError(errno, 'connect');
      }
      // SO_ERROR is 0 while the handshake is under way, too.
      if (socket.pollNow(EPOLLOUT) === 0) return undefined;
      const error = takeError(socket);
      if (error !== undefined) throw new SocketError(error, 'connect');
      return true;
    })
    .then(() => {});
}
