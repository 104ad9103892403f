/** An endpoint made of sockets, whoever drives them: the order of its calls, their records, and who frees what is left. */
import type { Clock } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import { ipBytes } from '../segment/index.js';
import type { CallLog } from './call-record.js';
import type {
  Address,
  Connection,
  Endpoint,
  Listener,
  OpenOptions,
  SocketOptions,
  SocketState,
} from './endpoint.js';
import { SocketError, Unsupported } from './endpoint.js';
import { LoggedSocket, type SocketContext } from './logged-socket.js';
import { SocketConnection } from './socket-connection.js';
import type { Outcome, SocketDriver, StackDriver } from './socket-driver.js';
import { SocketListener } from './socket-listener.js';

export interface SocketEndpointOptions {
  readonly side: Side;
  /** `stack@version`. */
  readonly stack: string;
  readonly ip: string;
  readonly clock: Clock;
  readonly log: CallLog;
  readonly driver: StackDriver;
  /** Reads the states of all its sockets. */
  readonly sockets?: (() => Outcome<readonly SocketState[]>) | undefined;
}

const BACKLOG = 128;
/** Linux itself gives up after 127 s (tcp_syn_retries 6, doubling from 1 s); `WaitTimeout` must not come before. */
const OPEN_WITHIN_MS = 150_000;

export class SocketEndpoint implements Endpoint {
  readonly side: Side;
  readonly stack: string;
  readonly ip: string;
  readonly #driver: StackDriver;
  readonly #sockets: (() => Outcome<readonly SocketState[]>) | undefined;
  readonly #context: SocketContext;
  readonly #open = new Set<LoggedSocket>();
  #made = 0;
  #isOver = false;

  constructor({ side, stack, ip, clock, log, driver, sockets }: SocketEndpointOptions) {
    this.side = side;
    this.stack = stack;
    this.ip = ip;
    this.#driver = driver;
    this.#sockets = sockets;
    this.#context = { side, clock, log, adopt: (made) => this.#adopt(made) };
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
    const socket = await this.#socket();
    return this.#orFree(socket, async () => {
      await socket.setOptions(options);
      const local = await socket.call(
        'listen',
        { ip, port, backlog },
        () => socket.driver.listen(checkedAddress({ ip, port }), backlog),
        (at) => ({ kind: 'ok', value: at.port }),
      );
      return new SocketListener(socket, local);
    });
  }

  async open(
    to: Address,
    { fromPort = 0, options, withinMs = OPEN_WITHIN_MS }: OpenOptions = {},
  ): Promise<Connection> {
    const socket = await this.#socket();
    return this.#orFree(socket, async () => {
      await socket.setOptions(options);
      checkedAddress(to);
      if (fromPort !== 0) await bind(socket, { ip: this.ip, port: fromPort });
      const established = socket.call(
        'connect',
        { ip: to.ip, port: to.port },
        () => socket.driver.connect(to, withinMs),
        () => ({ kind: 'ok' }),
      );
      // Whoever asks gets the rejection; a scenario that does not ask must not die of it.
      established.catch(() => {});
      const local = await socket.driver.localAddress();
      return new SocketConnection(socket, { local, remote: to }, established);
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
    this.#isOver = true;
    const open = [...this.#open].map(({ driver }) => driver);
    this.#open.clear();
    await this.#driver.end(open);
  }

  async #socket(): Promise<LoggedSocket> {
    const made = this.#driver.socket();
    const driver = made instanceof Promise ? await made : made;
    if (!this.#isOver) return this.#adopt(driver);
    await driver.dispose();
    throw new SocketError('EBADF', 'socket', 'this endpoint has been closed');
  }

  #adopt(driver: SocketDriver): LoggedSocket {
    this.#made += 1;
    const socket = new LoggedSocket(this.#context, driver, this.#made, () => this.#open.delete(socket));
    this.#open.add(socket);
    return socket;
  }

  async #orFree<T>(socket: LoggedSocket, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      await socket.dispose();
      throw error;
    }
  }
}

function bind(socket: LoggedSocket, from: Address): Promise<void> {
  return socket.call(
    'bind',
    { ...from },
    () => socket.driver.bind(checkedAddress(from)),
    () => ({ kind: 'ok' }),
  );
}

function checkedAddress(address: Address): Address {
  const { ip, port } = address;
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new RangeError(`${port} is no port: give a whole number from 0 to 65535`);
  }
  ipBytes(ip);
  return address;
}
