/** The serving side of socket calls between threads: the sockets of one host, by number. */
import type { Accepted, SocketDriver } from '../socket-driver.js';
import { type OwnAnswer, type OwnCall, refusalOf } from './own-call.js';
import type { OwnHost } from './own-stack-endpoint.js';

const ENDS: ReadonlySet<string> = new Set(['close', 'abort', 'dispose']);

export class OwnService {
  readonly #host: OwnHost;
  readonly #sockets = new Map<number, SocketDriver>();
  #accepted = 0;

  constructor(host: OwnHost) {
    this.#host = host;
  }

  /** Begins at once. Never rejects. */
  async answer(call: OwnCall): Promise<OwnAnswer> {
    try {
      return { kind: 'value', value: await this.#carryOut(call) };
    } catch (error) {
      return refusalOf(error);
    }
  }

  #carryOut(call: OwnCall): unknown {
    switch (call.kind) {
      case 'sockets':
        return this.#host.sockets();
      case 'make':
        this.#sockets.set(call.socket, this.#host.socket());
        return undefined;
      case 'call':
        return this.#call(call);
    }
  }

  #call({ socket, method, args }: OwnCall & { kind: 'call' }): unknown {
    const driver = this.#sockets.get(socket);
    if (driver === undefined) throw new Error(`there is no socket ${socket}`);
    if (ENDS.has(method)) this.#sockets.delete(socket);
    // The arguments are those that the same method was called with on the other thread.
    const step = driver[method] as (...given: readonly unknown[]) => unknown;
    const result = step.apply(driver, [...args]);
    return method === 'accept' ? this.#adopt(result as Promise<Accepted>) : result;
  }

  async #adopt(accepting: Promise<Accepted>): Promise<unknown> {
    const { driver, local, remote } = await accepting;
    this.#accepted += 1;
    const socket = -this.#accepted;
    this.#sockets.set(socket, driver);
    return { socket, local, remote };
  }
}
