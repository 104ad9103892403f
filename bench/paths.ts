/** The paths that are compared, each with an established connection of the kernel's sockets at its ends. */
import { RealClock } from '../harness/clock/index.js';
import { type Connection, KernelEndpoint } from '../harness/endpoint/index.js';
import { type BarePair, type NetnsLab, openBarePair, openNetnsLab } from '../harness/lab/index.js';
import { monotonicNs, type NetworkNamespace } from '../harness/sys/index.js';

export interface Ends {
  readonly client: Connection;
  readonly server: Connection;
}

/** Where sockets of one's own can be made. */
export interface Path {
  namespace(side: 'client' | 'server'): NetworkNamespace;
  ip(side: 'client' | 'server'): string;
}

export async function connect(client: KernelEndpoint, server: KernelEndpoint): Promise<Ends> {
  const listener = await server.listen();
  const near = await client.connect(listener.local);
  const far = await listener.accept();
  for (const end of [near, far]) await end.setOption('TCP_NODELAY', 1);
  return { client: near, server: far };
}

/** A veth from one namespace to the other, offloads off as in a lab. */
export class BarePath implements AsyncDisposable {
  readonly pair: BarePair = openBarePair();
  readonly client: KernelEndpoint;
  readonly server: KernelEndpoint;

  constructor() {
    const clock = new RealClock(monotonicNs());
    const log = (): void => {};
    const make = (side: 'client' | 'server') =>
      new KernelEndpoint({ side, namespace: this.pair.namespace(side), ip: this.pair.ip(side), clock, log });
    this.client = make('client');
    this.server = make('server');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.pair[Symbol.dispose]();
  }
}

/** The harness's wire; with looks, as an ordinary user has it. */
export const openWire = (looks: boolean): Promise<NetnsLab> =>
  openNetnsLab({ ipVersion: 4, eyes: looks ? 'sock_diag' : 'none' });

export async function connectLab(lab: NetnsLab): Promise<Ends> {
  const listener = await lab.endpoint('server').listen();
  const client = await lab.endpoint('client').connect(listener.local);
  const server = await listener.accept();
  for (const end of [client, server]) await end.setOption('TCP_NODELAY', 1);
  return { client, server };
}
