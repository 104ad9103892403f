/** A listening socket of the kernel. */
import { decodeSockaddr, EPOLLIN, libc, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../sys/index.js';
import type { Address, Connection, Listener } from '../endpoint.js';
import { KernelConnection } from './kernel-connection.js';
import { checkedOrLater, type KernelContext, type KernelSocket } from './kernel-socket.js';

const WITHIN_MS = 10_000;
const SOCKADDR_OCTETS = 28;

export class KernelListener implements Listener {
  readonly #context: KernelContext;
  readonly #socket: KernelSocket;
  readonly local: Address;

  constructor(context: KernelContext, socket: KernelSocket, local: Address) {
    this.#context = context;
    this.#socket = socket;
    this.local = local;
  }

  async accept({ withinMs = WITHIN_MS }: { withinMs?: number } = {}): Promise<Connection> {
    const { socket, remote } = await this.#socket.call(
      'accept',
      {},
      () =>
        this.#socket.retry('accept', { events: EPOLLIN, withinMs }, (fd) => {
          const address = new Uint8Array(SOCKADDR_OCTETS);
          const size = Uint8Array.of(address.length, 0, 0, 0);
          const made = checkedOrLater(
            libc.accept4(fd, address, size, SOCK_NONBLOCK | SOCK_CLOEXEC),
            'accept',
          );
          if (made === undefined) return undefined;
          return { socket: this.#context.adopt(made), remote: decodeSockaddr(address) };
        }),
      ({ socket, remote }) => ({
        kind: 'ok',
        value: `socket ${socket.number} from ${remote.ip} port ${remote.port}`,
      }),
    );
    const ends = { local: socket.localAddress(), remote };
    return new KernelConnection(this.#context, socket, ends, Promise.resolve());
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

  close(): Promise<void> {
    return this.#socket.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.dispose();
  }
}
