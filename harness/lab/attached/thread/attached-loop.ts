/** The loop of an attached wire's thread: packets out of the queues, in the order in which they came, through the wire. */
import type { Nanos } from '../../../clock/index.js';
import { type QueuedPacket, StampAlignment } from '../../../wire/index.js';
import {
  type CommonLoopParts,
  MOST_PACKETS,
  type PacketSource,
  runLoop,
} from '../../netns/thread/thread-loop.js';
import type { AttachedWire } from './attached-wire.js';
import type { Gate } from './gate.js';

export interface AttachedLoopParts extends CommonLoopParts {
  readonly wire: AttachedWire;
}

export class AttachedLoop implements PacketSource {
  readonly alignment: StampAlignment;
  readonly #parts: AttachedLoopParts;

  constructor(parts: AttachedLoopParts) {
    this.#parts = parts;
    this.alignment = new StampAlignment(parts.clock.now);
  }

  /** Returns when the main thread says that it ends. */
  run(): void {
    runLoop(this.#parts, this);
  }

  /** Handles all packets that are there. */
  catchUp(): void {
    while (this.takePackets() > 0);
  }

  get fds(): readonly number[] {
    return this.#parts.wire.fds;
  }

  takePackets(): number {
    for (let taken = 0; taken < MOST_PACKETS; taken += 1) {
      const gate = this.#first();
      if (gate === undefined) return taken;
      this.#parts.wire.takeFrom(gate);
    }
    return MOST_PACKETS;
  }

  woke(): void {
    this.#parts.wire.lookAtDestroyed();
  }

  /** The gate whose next packet came first. */
  #first(): Gate | undefined {
    let first: Gate | undefined;
    let firstNs = Number.POSITIVE_INFINITY;
    for (const gate of this.#parts.wire.gates) {
      const atNs = gate.nextNs(this.#stampOf);
      if (atNs === undefined || atNs >= firstNs) continue;
      first = gate;
      firstNs = atNs;
    }
    return first;
  }

  readonly #stampOf = ({ stamp }: QueuedPacket): Nanos => {
    const nowNs = this.#parts.clock.now();
    return stamp === undefined ? nowNs : this.alignment.toMonotonicNs(stamp.unixSec, stamp.nsec, nowNs);
  };
}
