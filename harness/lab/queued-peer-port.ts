/** The way onto a lab's wire for a scripted peer: what the wire delivers waits until the peer listens. */
import type { Clock, Nanos } from '../clock/index.js';
import type { PeerPort } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';

/** Packets kept for a peer that does not listen yet. */
const MOST_WAITING = 10_000;

export interface PeerPortOptions {
  readonly side: Side;
  readonly clock: Clock;
  readonly ip: string;
  readonly remoteIp: string;
  readonly send: (packet: Uint8Array) => void;
}

export class QueuedPeerPort implements PeerPort {
  readonly side: Side;
  readonly clock: Clock;
  readonly ip: string;
  readonly remoteIp: string;
  readonly #send: (packet: Uint8Array) => void;
  #waiting: { readonly packet: Uint8Array; readonly atNs: Nanos }[] = [];
  #receive: ((packet: Uint8Array, atNs: Nanos) => void) | undefined;

  constructor({ side, clock, ip, remoteIp, send }: PeerPortOptions) {
    this.side = side;
    this.clock = clock;
    this.ip = ip;
    this.remoteIp = remoteIp;
    this.#send = send;
  }

  send(packet: Uint8Array): void {
    this.#send(packet);
  }

  onPacket(receive: (packet: Uint8Array, atNs: Nanos) => void): void {
    this.#receive = receive;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { packet, atNs } of waiting) receive(packet, atNs);
  }

  /** The wire has delivered a packet. */
  deliver(posted: Uint8Array, atNs: Nanos): void {
    const packet = posted.slice();
    if (this.#receive !== undefined) this.#receive(packet, atNs);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ packet, atNs });
    else throw new RangeError(`${MOST_WAITING} packets wait for the peer: call onPacket to take them`);
  }
}
