/** The stage of a story with a proxy in the middle: the two ends, the proxy and what it does, and the wires on both sides of it. */
import { type Clock, NANOS_PER_MS } from '../clock/index.js';
import type { Address, Connection, Endpoint, Listener, TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { LegName, ViaLab } from '../lab/index.js';
import { humanTime } from '../text/index.js';
import type { ToxiproxyClient, ToxiproxyProxy } from '../toxiproxy/index.js';
import type { MarkEvent } from '../trace/index.js';
import type { WireControl } from '../wire/index.js';
import { reaching, sleepUntil } from './reaching.js';
import type { IpVersion, ReachOptions } from './scenario.js';

/** One end of one leg; `client` and `server` name the ends themselves, `proxy` must say which of its two connections. */
export type ViaEnd = 'client' | 'server' | 'proxy-to-client' | 'proxy-to-server';

export interface ThroughProxy {
  readonly listener: Listener;
  /** Connected to the proxy. */
  readonly client: Connection;
  /** Accepted from the proxy. */
  readonly server: Connection;
}

export interface ViaStage {
  readonly ipVersion: IpVersion;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly clock: Clock;
  /** The wires of both legs. */
  readonly wires: Readonly<Record<LegName, WireControl>>;
  readonly toxiproxy: ToxiproxyClient;
  readonly proxy: ToxiproxyProxy;
  /** Where the client connects to. */
  readonly proxyAddress: Address;
  /** Where the server should listen. */
  readonly serverAddress: Address;
  /** The server listens, the client connects to the proxy, the proxy to the server: both connections are established. */
  established(): Promise<ThroughProxy>;
  /** Writes a remark into both traces. */
  mark(text: string): void;
  /** Waits until a connection of this end is in one of `states`; see `Stage.reaches`. */
  reaches(end: ViaEnd, states: TcpState | readonly TcpState[], options?: ReachOptions): Promise<void>;
  /** Lets time pass where there is no event to await. The reason goes into the traces. */
  pass(ms: number, reason: string): Promise<void>;
}

/** Where an end is in the traces: the leg, and its side there. */
export const VIA_ENDS: Readonly<Record<ViaEnd, { readonly leg: LegName; readonly side: Side }>> = {
  client: { leg: 'client', side: 'client' },
  'proxy-to-client': { leg: 'client', side: 'server' },
  'proxy-to-server': { leg: 'server', side: 'client' },
  server: { leg: 'server', side: 'server' },
};

export class ViaLabStage implements ViaStage {
  readonly marks: MarkEvent[] = [];

  constructor(private readonly lab: ViaLab) {}

  get ipVersion(): IpVersion {
    return this.lab.ipVersion;
  }

  get clock(): Clock {
    return this.lab.clock;
  }

  get client(): Endpoint {
    return this.lab.legs.client.endpoint('client');
  }

  get server(): Endpoint {
    return this.lab.legs.server.endpoint('server');
  }

  get wires(): Readonly<Record<LegName, WireControl>> {
    return { client: this.lab.legs.client.wire, server: this.lab.legs.server.wire };
  }

  get toxiproxy(): ToxiproxyClient {
    return this.lab.toxiproxy;
  }

  get proxy(): ToxiproxyProxy {
    return this.lab.proxy;
  }

  get proxyAddress(): Address {
    return this.lab.proxyAddress;
  }

  get serverAddress(): Address {
    return this.lab.serverAddress;
  }

  // Functions that keep their `this`: stories take a stage apart.

  readonly established = async (): Promise<ThroughProxy> => {
    const listener = await this.server.listen({ port: this.serverAddress.port });
    const client = await this.client.connect(this.proxyAddress);
    return { listener, client, server: await listener.accept() };
  };

  readonly mark = (text: string): void => {
    this.marks.push({ kind: 'mark', atNs: this.clock.now(), text });
  };

  readonly reaches = async (
    end: ViaEnd,
    states: TcpState | readonly TcpState[],
    options?: ReachOptions,
  ): Promise<void> => {
    const { leg, side } = VIA_ENDS[end];
    const lab = this.lab.legs[leg];
    const endpoint = lab.endpoint(side);
    // The proxy's namespace has the sockets of both legs, and those of its API.
    const sockets = async () => (await endpoint.sockets()).filter(({ local }) => local.ip === lab.ip(side));
    await reaching({ side, clock: this.clock, sockets, changes: undefined }, states, options);
  };

  readonly pass = async (ms: number, reason: string): Promise<void> => {
    this.mark(`${humanTime(ms)} pass: ${reason}`);
    await sleepUntil(this.clock, this.clock.now() + ms * NANOS_PER_MS);
  };
}
