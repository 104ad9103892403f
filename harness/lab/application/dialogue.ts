/**
 * What a client says to an application in the place of what a story has it say: one request, which the application understands, or nothing.
 * The story's own octets would be noise to it.
 */
import type { Address, Connection, Endpoint, OpenOptions, Received } from '../../endpoint/index.js';

type SendOptions = Parameters<Connection['send']>[1];

export class Dialogue {
  readonly #request: Uint8Array | undefined;
  #saidOctets = 0;

  /** Without a request the client says nothing, and expects no answer. */
  constructor(request?: Uint8Array | string) {
    this.#request = typeof request === 'string' ? new TextEncoder().encode(request) : request;
  }

  get isSilent(): boolean {
    return this.#request === undefined;
  }

  /** By the connection that spoke last. */
  get saidOctets(): number {
    return this.#saidOctets;
  }

  /** The client's endpoint, which speaks so; `reached` is where an address of the story's is. */
  client(endpoint: Endpoint, reached: (to: Address) => Address): Endpoint {
    const speaking = (connection: Connection): Connection => this.#speaking(connection);
    return {
      side: endpoint.side,
      stack: endpoint.stack,
      ip: endpoint.ip,
      listen: (options) => endpoint.listen(options),
      open: async (to: Address, options?: OpenOptions) => speaking(await endpoint.open(reached(to), options)),
      connect: async (to: Address, options?: OpenOptions) =>
        speaking(await endpoint.connect(reached(to), options)),
      sockets: () => endpoint.sockets(),
      [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose](),
    };
  }

  #speaking(connection: Connection): Connection {
    const request = this.#request;
    let hasSpoken = false;
    this.#saidOctets = 0;
    return {
      local: connection.local,
      remote: connection.remote,
      established: connection.established,
      send: async (data: Uint8Array | string, options?: SendOptions): Promise<number> => {
        if (request !== undefined && !hasSpoken) {
          hasSpoken = true;
          this.#saidOctets = await connection.send(request, options);
        }
        return Buffer.byteLength(data);
      },
      receive: (options) => connection.receive(options),
      receiveAll: async (options = {}) =>
        options.octets === undefined
          ? connection.receiveAll(options)
          : this.isSilent
            ? { data: new Uint8Array(), ended: false }
            : someOf(await connection.receive(options)),
      shutdown: (how) => connection.shutdown(how),
      close: () => connection.close(),
      abort: () => connection.abort(),
      setOption: (name, value) => connection.setOption(name, value),
      getOption: (name) => connection.getOption(name),
      getTextOption: (name) => connection.getTextOption(name),
      info: () => connection.info(),
      state: () => connection.state(),
      queues: () => connection.queues(),
      atUrgentMark: () => connection.atUrgentMark(),
      error: () => connection.error(),
      poll: () => connection.poll(),
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    };
  }
}

/** As much of the answer as there is. */
const someOf = (received: Received): { data: Uint8Array; ended: boolean } =>
  received.kind === 'data' ? { data: received.data, ended: false } : { data: new Uint8Array(), ended: true };
