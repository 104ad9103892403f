/**
 * The kernel that this machine runs as an endpoint: its sockets, made inside a network namespace and driven through libc.
 * Everything is non-blocking; waiting goes through Node's event loop.
 */
import { isIPv6 } from 'node:net';
import { release } from 'node:os';
import type { Clock } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  libc,
  type NetworkNamespace,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../sys/index.js';
import type { CallLog } from '../call-record.js';
import type { SocketState } from '../endpoint.js';
import type { SocketDriver, StackDriver } from '../socket-driver.js';
import { SocketEndpoint } from '../socket-endpoint.js';
import { checked } from './kernel-descriptor.js';
import { type KernelContext, KernelSocket } from './kernel-socket.js';
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

export class KernelEndpoint extends SocketEndpoint {
  constructor(options: KernelEndpointOptions) {
    const { side, ip, clock, log, sockets } = options;
    super({
      side,
      stack: `linux@${release()}`,
      ip,
      clock,
      log,
      driver: new KernelStack(options),
      sockets,
    });
  }
}

class KernelStack implements StackDriver {
  readonly #namespace: NetworkNamespace;
  readonly #family: number;
  readonly #context: KernelContext;

  constructor({ namespace, ip, clock }: KernelEndpointOptions) {
    this.#namespace = namespace;
    this.#family = isIPv6(ip) ? AF_INET6 : AF_INET;
    this.#context = { clock, readiness: new Readiness(clock), release: release() };
  }

  socket(): SocketDriver {
    const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = this.#namespace.run(() => checked(libc.socket(this.#family, type, IPPROTO_TCP), 'socket'));
    return new KernelSocket(this.#context, fd);
  }

  end(open: readonly SocketDriver[]): void {
    for (const socket of open) socket.dispose();
    this.#context.readiness[Symbol.dispose]();
  }
}
