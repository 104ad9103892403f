/**
 * What the thread of an attached wire does all day: takes packets out of the queue and runs them through the wire, makes the calls that are due,
 * obeys the main thread, and sleeps when there is nothing to do. It never returns to an event loop.
 */
import type { Nanos } from '../../../clock/index.js';
import { libc } from '../../../sys/index.js';
import { type PacketQueue, type QueuedPacket, StampAlignment } from '../../../wire/index.js';
import type { Outbox } from '../../netns/thread/outbox.js';
import { Patience } from '../../netns/thread/patience.js';
import type { Sleeper } from '../../netns/thread/sleeper.js';
import type { ThreadClock } from '../../netns/thread/thread-clock.js';
import type { AttachedWire } from './attached-wire.js';

/** Packets taken in a row before timers and commands get their turn. */
const MOST_PACKETS = 64;
/** The longest sleep: should the main thread end us without waking us, we notice then. */
const LONGEST_SLEEP_NS = 250_000_000;

export interface AttachedLoopParts {
  readonly clock: ThreadClock;
  readonly queue: PacketQueue;
  readonly wire: AttachedWire;
  readonly outbox: Outbox;
  readonly sleeper: Sleeper;
  /** Takes a packet for itself: then it is none of the wire's. */
  intercept(packet: QueuedPacket): boolean;
  /** Carries out the commands that have come; whether there were any. */
  obey(): boolean;
  isEnding(): boolean;
  readonly mayWatch: boolean;
}

export class AttachedLoop {
  readonly alignment: StampAlignment;
  readonly #parts: AttachedLoopParts;

  constructor(parts: AttachedLoopParts) {
    this.#parts = parts;
    this.alignment = new StampAlignment(parts.clock.now);
  }

  /** Returns when the main thread says that it ends. */
  run(): void {
    const { clock, outbox } = this.#parts;
    const patience = new Patience({ mayWatch: this.#parts.mayWatch });
    let activeNs = clock.now();
    while (!this.#parts.isEnding()) {
      const taken = this.#takePackets();
      const wasTold = this.#parts.obey();
      const nowNs = clock.now();
      const made = clock.timers.runDue(nowNs);
      if (taken > 0 || wasTold || made > 0) {
        activeNs = nowNs;
        patience.paidOff();
      }
      outbox.postDue(nowNs);
      if (taken > 0) continue;
      if (patience.lasts(nowNs - activeNs)) {
        libc.schedYield();
        continue;
      }
      this.#sleep(nowNs);
    }
  }

  /** Handles all packets that are there. */
  catchUp(): void {
    while (this.#takePackets() > 0);
  }

  #takePackets(): number {
    return this.#parts.queue.drain(MOST_PACKETS, this.#onPacket);
  }

  readonly #onPacket = (queued: QueuedPacket): void => {
    if (this.#parts.intercept(queued)) return;
    const nowNs = this.#parts.clock.now();
    const { stamp } = queued;
    const atNs = stamp === undefined ? nowNs : this.alignment.toMonotonicNs(stamp.unixSec, stamp.nsec, nowNs);
    this.#parts.wire.fromQueue(queued, atNs);
  };

  #sleep(nowNs: Nanos): void {
    const { clock, queue, sleeper, outbox, wire } = this.#parts;
    const nextNs = Math.min(clock.timers.nextNs() ?? Number.POSITIVE_INFINITY, outbox.dueNs);
    sleeper.sleep(Math.min(nextNs - nowNs, LONGEST_SLEEP_NS), [queue.fd, ...wire.destroyFds]);
    wire.lookAtDestroyed();
  }
}
