/** A listening socket. */
import type { Address, Connection, Listener } from './endpoint.js';
import type { LoggedSocket } from './logged-socket.js';
import { SocketConnection } from './socket-connection.js';
import type { Accepted } from './socket-driver.js';

const WITHIN_MS = 10_000;

export class SocketListener implements Listener {
  readonly #socket: LoggedSocket;
  readonly local: Address;

  constructor(socket: LoggedSocket, local: Address) {
    this.#socket = socket;
    this.local = local;
  }

  async accept({ withinMs = WITHIN_MS }: { withinMs?: number } = {}): Promise<Connection> {
    const adopt = ({ driver, ...ends }: Accepted) => ({
      socket: this.#socket.context.adopt(driver),
      ...ends,
    });
    const { socket, ...ends } = await this.#socket.call(
      'accept',
      {},
      async () => adopt(await this.#socket.driver.accept(withinMs)),
      ({ socket, remote }) => ({
        kind: 'ok',
        value: `socket ${socket.number} from ${remote.ip} port ${remote.port}`,
      }),
    );
    return new SocketConnection(socket, ends, Promise.resolve());
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
    await this.#socket.dispose();
  }
}
