/**
 * For this folder's tests: two peers at the ends of a link in memory, in virtual time. The time moves on to the next timer
 * whenever the event loop has nothing else to do, so that no test waits.
 */
import { type Clock, type Nanos, type Timer, TimerQueue } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import type { PeerPort } from '../peer-port.js';
import { Peer } from './peer.js';
import type { PeerOptions } from './peer-options.js';

const DELAY_NS = 1_000_000;

export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue();
  #nowNs = 0;
  #isTurning = false;

  now(): Nanos {
    return this.#nowNs;
  }

  at(atNs: Nanos, action: () => void): Timer {
    const timer = this.#timers.at(atNs, action);
    this.#turn();
    return timer;
  }

  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    // Three turns: scripts may need one or two of their own to get on with what has come.
    setImmediate(() => setImmediate(() => setImmediate(() => this.#step())));
  }

  #step(): void {
    this.#isTurning = false;
    const nextNs = this.#timers.nextNs();
    if (nextNs === undefined) return;
    this.#nowNs = Math.max(this.#nowNs, nextNs);
    this.#timers.runDue(this.#nowNs);
    if (this.#timers.nextNs() !== undefined) this.#turn();
  }
}

export interface LinkedPeers {
  readonly clock: VirtualClock;
  readonly client: Peer;
  readonly server: Peer;
  /** Puts a packet in front of the server, as if from the client. */
  deliver(packet: Uint8Array): void;
}

/** The link takes 1 ms each way. */
export function linkedPeers({
  client = {},
  server = {},
  ipVersion = 4,
}: {
  client?: PeerOptions;
  server?: PeerOptions;
  ipVersion?: 4 | 6;
} = {}): LinkedPeers {
  const clock = new VirtualClock();
  const ip: Readonly<Record<Side, string>> =
    ipVersion === 4
      ? { client: '10.0.0.1', server: '10.0.0.2' }
      : { client: '2001:db8::1', server: '2001:db8::2' };
  const receivers: Partial<Record<Side, (packet: Uint8Array, atNs: Nanos) => void>> = {};
  const port = (side: Side, other: Side): PeerPort => ({
    side,
    clock,
    ip: ip[side],
    remoteIp: ip[other],
    send: (packet) => void clock.at(clock.now() + DELAY_NS, () => receivers[other]?.(packet, clock.now())),
    onPacket: (receive) => {
      receivers[side] = receive;
    },
  });
  return {
    clock,
    client: new Peer(port('client', 'server'), client),
    server: new Peer(port('server', 'client'), server),
    deliver: (packet) => receivers.server?.(packet, clock.now()),
  };
}
