/** For tests: the agent's server for our own TCP, in this process, and who drives it. */
import { RealClock } from '../../clock/index.js';
import type { AgentChannel } from '../agent/agent-channel.js';
import { AgentClient } from '../agent/agent-client.js';
import { AgentEndpoint } from '../agent/agent-endpoint.js';
import type { Drive } from '../loopback-fixture.js';
import { loopbackHost } from '../own-stack/own-fixture.js';
import { ownStackName } from '../own-stack/own-stack-endpoint.js';
import { AgentServer } from './agent-server.js';
import type { ServedChannel } from './stream-channel.js';

/** One end of a way between two in this process: what one sends the other gets in another turn, as from a stream. */
export class PairedChannel implements ServedChannel {
  readonly isFull = false;
  #other: PairedChannel | undefined;
  #receive: (octets: Uint8Array) => void = () => {};
  #ended: (reason: string) => void = () => {};

  static pair(): readonly [PairedChannel, PairedChannel] {
    const [one, other] = [new PairedChannel(), new PairedChannel()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  send(octets: Uint8Array): void {
    setImmediate(() => {
      const other = this.#other;
      if (other !== undefined) other.#receive(octets);
    });
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onEnd(ended: (reason: string) => void): void {
    this.#ended = ended;
  }

  onRoom(): void {
    // It is never full.
  }

  close(): void {
    const other = this.#other;
    this.#other = undefined;
    if (other !== undefined) setImmediate(() => other.#ended('the other end was closed'));
  }
}

export interface ServedPlace extends Disposable {
  readonly client: AgentClient;
  /** To send what no client would. */
  readonly channel: AgentChannel;
  readonly ended: Promise<string>;
  readonly clock: RealClock;
}

/** A host that speaks to itself, and an agent that serves its sockets. */
export function serveOwn(ip: string, clock = new RealClock(process.hrtime.bigint())): ServedPlace {
  const host = loopbackHost({ ip, clock });
  const [near, far] = PairedChannel.pair();
  const ended = new Promise<string>((resolve) => {
    new AgentServer({ stack: host.polled, channel: far, clock, system: 'a test', ended: resolve });
  });
  const client = new AgentClient(near);
  return {
    client,
    channel: near,
    ended,
    clock,
    [Symbol.dispose]: () => {
      client.close();
      host[Symbol.dispose]();
    },
  };
}

export const driveOwnAgent: Drive = ({ ip, clock, log }) => {
  const served = serveOwn(ip, clock as RealClock);
  const { client } = served;
  const common = { client, ip, clock, log, stack: ownStackName(), sockets: () => client.sockets() };
  return {
    client: new AgentEndpoint({ ...common, side: 'client' }),
    server: new AgentEndpoint({ ...common, side: 'server' }),
    free: () => served[Symbol.dispose](),
  };
};
