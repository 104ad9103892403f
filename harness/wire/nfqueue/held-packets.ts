/**
 * What lies below a wire whose packets the kernel keeps until their verdict. The first delivery of a packet is its verdict, with other octets
 * where a fault changed them; whatever else is delivered is sent anew. Pure of input and output.
 *
 * What a sender's own output hook had is never kept for later: while a copy of a segment waits in its own machine, TCP does not
 * retransmit it (skb_still_in_host_queue in net/ipv4/tcp_output.c). It is dropped at once, as if it had left, and sent when its time comes.
 */
import type { Side } from '../../fault/index.js';
import type { Carrier } from '../carrier.js';
import type { QueuedPacket, QueueVerdict } from './queue-messages.js';

export interface HeldPacketsOptions {
  readonly decide: (id: number, verdict: QueueVerdict, packet?: Uint8Array) => void;
  /** Sends a packet that no verdict can stand for. */
  readonly send: (packet: Uint8Array) => void;
}

interface Held {
  readonly id: number;
  readonly to: Side;
}

export class HeldPackets {
  /** By the octets that the wire was given. */
  readonly #held = new Map<Uint8Array, Held>();
  /** Those that were not seen whole. */
  readonly #cut = new WeakSet<Uint8Array>();
  readonly #options: HeldPacketsOptions;

  constructor(options: HeldPacketsOptions) {
    this.#options = options;
  }

  /** Packets that wait for a verdict. */
  get size(): number {
    return this.#held.size;
  }

  carrier(to: Side): Carrier {
    return { send: (packet, arrived) => this.#deliver(to, packet, arrived) };
  }

  /** Lets a wire have a packet: `arrive` is to hand these octets to it. All are decided when the wire says so, and at once at an output hook. */
  pass(
    queued: QueuedPacket,
    options: { readonly packet: Uint8Array; readonly to: Side },
    arrive: () => void,
  ): void {
    const { packet, to } = options;
    this.#held.set(packet, { id: queued.id, to });
    if (!queued.isWhole) this.#cut.add(packet);
    try {
      arrive();
    } catch (error) {
      this.#letPass(packet);
      throw error;
    }
    if (queued.hook === 'output') this.lost(packet);
  }

  /** It will not be delivered any more. */
  lost(packet: Uint8Array): void {
    const held = this.#held.get(packet);
    if (held === undefined) return;
    this.#held.delete(packet);
    this.#options.decide(held.id, 'drop');
  }

  /** The wire has failed at it: what its user's application sends must go on. */
  #letPass(packet: Uint8Array): void {
    const held = this.#held.get(packet);
    if (held === undefined) return;
    this.#held.delete(packet);
    this.#options.decide(held.id, 'accept');
  }

  #deliver(to: Side, packet: Uint8Array, arrived: Uint8Array): void {
    const held = this.#held.get(arrived);
    const isVerdict = held?.to === to;
    if (this.#cut.has(arrived) && !(isVerdict && packet === arrived))
      throw new RangeError(
        `a packet of ${arrived.length} octets is too large to be changed or sent again: give the link an MTU below 65532`,
      );
    if (!isVerdict) {
      this.#options.send(packet);
      return;
    }
    this.#held.delete(arrived);
    if (packet === arrived) this.#options.decide(held.id, 'accept');
    else this.#options.decide(held.id, 'accept', packet);
  }
}
