/** Two hosts and what lies between them, in virtual time: a wire of a fixed latency whose mishaps are chosen, or drawn from a seed. */
import { Random } from '../../harness/segment/index.js';
import { TcpStack, type TcpStackOptions } from '../host/index.js';
import { PacketSlab } from './packet-slab.js';
import { VirtualClock } from './virtual-clock.js';

export type HostName = 'client' | 'server';

export const otherHost = (name: HostName): HostName => (name === 'client' ? 'server' : 'client');

/** When copies of a packet arrive, in ns after it was sent; none: it is lost. */
export type Fate = readonly (number | Arrival)[];

/** A packet that arrives, perhaps not as it was sent, perhaps at the host that sent it: what ICMP does. */
export interface Arrival {
  readonly afterNs: number;
  readonly packet: Uint8Array;
  readonly isReturned?: boolean;
}

export interface Passing {
  readonly from: HostName;
  /** Place among all packets of both hosts, from 0. */
  readonly index: number;
  readonly packet: Uint8Array;
}

export interface TwoHostsOptions {
  readonly seed?: number;
  readonly ipVersion?: 4 | 6;
  readonly latencyNs?: number;
  /** What becomes of a packet; default: it arrives after the latency. */
  readonly fate?: (passing: Passing) => Fate;
  readonly stack?: Partial<TcpStackOptions>;
  readonly client?: Partial<TcpStackOptions>;
  readonly server?: Partial<TcpStackOptions>;
  /** Sees each packet as it leaves. */
  readonly watch?: (passing: Passing) => void;
}

export const CLIENT_IP = '198.18.0.1';
export const SERVER_IP = '198.18.0.2';
export const ADDRESSES = {
  4: { client: CLIENT_IP, server: SERVER_IP },
  6: { client: '2001:db8::1', server: '2001:db8::2' },
} as const;
export const LATENCY_NS = 100_000;

/** Of IPv6 without jumbograms. */
const MOST_PACKET_OCTETS = 65_575;

export class TwoHosts {
  readonly clock = new VirtualClock();
  readonly client: TcpStack;
  readonly server: TcpStack;
  readonly #options: TwoHostsOptions;
  #passed = 0;

  constructor(options: TwoHostsOptions = {}) {
    this.#options = options;
    const random = new Random(options.seed ?? 1);
    const addresses = ADDRESSES[options.ipVersion ?? 4];
    const randomBytes = (octets: number): Uint8Array => {
      const drawn = new Uint8Array(octets);
      for (let i = 0; i < octets; i += 1) drawn[i] = random.octet();
      return drawn;
    };
    const slab = new PacketSlab();
    const make = (from: HostName): TcpStack =>
      new TcpStack({
        clock: this.clock,
        randomBytes,
        addresses: [addresses[from]],
        packetMemory: new Uint8Array(MOST_PACKET_OCTETS),
        output: (packet) => this.#pass(from, slab.keep(packet)),
        ...options.stack,
        ...options[from],
      });
    this.client = make('client');
    this.server = make('server');
  }

  #pass(from: HostName, packet: Uint8Array): void {
    const { latencyNs = LATENCY_NS, fate, watch } = this.#options;
    const passing = { from, index: this.#passed, packet };
    this.#passed += 1;
    watch?.(passing);
    if (fate === undefined) this.#arrive(otherHost(from), packet, latencyNs);
    else
      for (const arrival of fate(passing)) {
        if (typeof arrival === 'number') this.#arrive(otherHost(from), packet, arrival);
        else this.#arrive(arrival.isReturned ? from : otherHost(from), arrival.packet, arrival.afterNs);
      }
  }

  #arrive(to: HostName, packet: Uint8Array, afterNs: number): void {
    this.clock.at(this.clock.now() + afterNs, () => this[to].input(packet));
  }
}
