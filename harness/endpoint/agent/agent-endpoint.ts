/** A TCP implementation behind an agent: inside a guest kernel, in a container, on a foreign host, or a stack of your own. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import type { CallLog } from '../call-record.js';
import type { SocketState } from '../endpoint.js';
import type { SocketDriver, StackDriver } from '../socket-driver.js';
import { SocketEndpoint } from '../socket-endpoint.js';
import type { AgentLink } from './agent-link.js';
import { type AgentContext, AgentSocket, anyAddress } from './agent-socket.js';

export interface AgentEndpointOptions {
  /** Whoever made it closes it: an agent may serve many endpoints. */
  readonly client: AgentLink;
  readonly side: Side;
  /** Its own address; decides the IP version of its sockets. */
  readonly ip: string;
  /** Handle of the network namespace that its sockets are made in; 0, or absent: the agent's own. */
  readonly namespace?: number;
  readonly clock: Clock;
  readonly log: CallLog;
  /** As `hello` tells it: `linux@6.12.117`. */
  readonly stack: string;
  /** Reads the states of its sockets. */
  readonly sockets?: () => Promise<readonly SocketState[]>;
}

export class AgentEndpoint extends SocketEndpoint {
  constructor(options: AgentEndpointOptions) {
    const { side, stack, ip, clock, log, sockets } = options;
    super({ side, stack, ip, clock, log, driver: new AgentStack(options), sockets });
  }
}

class AgentStack implements StackDriver {
  readonly #ip: string;
  readonly #namespace: number;
  readonly #context: AgentContext;

  constructor({ client, clock, ip, namespace = 0, stack }: AgentEndpointOptions) {
    this.#ip = ip;
    this.#namespace = namespace;
    this.#context = { client, clock, release: /^linux@(.+)$/.exec(stack)?.[1] };
  }

  async socket(): Promise<SocketDriver> {
    const family = isIPv6(this.#ip) ? 6 : 4;
    const body = { family, namespace: this.#namespace };
    const { handle } = await this.#context.client.request('SOCKET', { body });
    return new AgentSocket(this.#context, { handle, local: anyAddress(this.#ip), lingers: false });
  }

  async end(open: readonly SocketDriver[]): Promise<void> {
    // Whatever goes wrong here, they are gone, or the agent with them.
    await Promise.allSettled(open.map(async (socket) => socket.abort()));
  }
}
