/**
 * A way with Toxiproxy in its middle: the client, a wire, the proxy, another wire, the server. TCP ends at the proxy, so there are
 * two connections; each leg is a lab of its own, and both count their time from one epoch.
 */
import type { Clock } from '../../clock/index.js';
import type { Address } from '../../endpoint/index.js';
import type { Fault } from '../../fault/index.js';
import type { Toxic, ToxiproxyClient, ToxiproxyProxy } from '../../toxiproxy/index.js';
import type { Lab, LabOptions, Settings } from '../lab.js';

/** `client`: from the client to the proxy; `server`: from the proxy to the server. */
export type LegName = 'client' | 'server';

export const LEG_NAMES: readonly LegName[] = ['client', 'server'];

/** The port of the proxy and of the server. Any would do: each has an address of its own. */
export const PORT = 7000;
/** What the proxy is called in its server. */
export const PROXY = 'lastack';

export interface ViaOptions {
  readonly ipVersion: 4 | 6;
  readonly mtu?: { readonly client?: number; readonly server?: number };
  /** Of the proxy, from the beginning. As data, or as lines such as `latency downstream 100ms`. */
  readonly toxics?: readonly (Toxic | string)[];
  /** Of the segments of each leg. On both, `client` is the side nearer to the client. */
  readonly faults?: { readonly client?: readonly Fault[]; readonly server?: readonly Fault[] };
  readonly settings?: { readonly client?: Settings; readonly proxy?: Settings; readonly server?: Settings };
  readonly eyes?: NonNullable<LabOptions['eyes']>;
}

export interface ViaLab extends AsyncDisposable {
  readonly name: string;
  readonly ipVersion: 4 | 6;
  readonly clock: Clock;
  /** The server side of the client's leg, and the client side of the server's, are the proxy. */
  readonly legs: Readonly<Record<LegName, Lab>>;
  /** What stands in the middle, such as `toxiproxy@2.12.0`. */
  readonly proxyStack: string;
  readonly toxiproxy: ToxiproxyClient;
  /** Between the two addresses below. */
  readonly proxy: ToxiproxyProxy;
  /** Where the client connects to. */
  readonly proxyAddress: Address;
  /** Where the proxy looks for the server: it need not listen. */
  readonly serverAddress: Address;
}
