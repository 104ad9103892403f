/**
 * What the wire's thread does all day: takes packets off the rings and runs them through their labs' wires, makes the
 * calls that are due, obeys the main thread, and sleeps when there is nothing to do. It never returns to an event loop.
 */
import type { Nanos } from '../../../clock/index.js';
import { libc } from '../../../sys/index.js';
import { type OnPacket, StampAlignment } from '../../../wire/index.js';
import type { Labs } from './labs.js';
import type { Outbox } from './outbox.js';
import type { PacketPorts } from './packet-port.js';
import { Patience } from './patience.js';
import type { Sleeper } from './sleeper.js';
import type { ThreadClock } from './thread-clock.js';

/** Packets taken in a row before timers and commands get their turn. */
const MOST_PACKETS = 64;
/** The longest sleep: should the main thread end us without waking us, we notice then. */
const LONGEST_SLEEP_NS = 250_000_000;
/** How often the rings are asked for losses while packets come. */
const CHECK_DROPS_NS = 50_000_000;

export interface PacketLoopParts {
  readonly clock: ThreadClock;
  readonly ports: PacketPorts;
  readonly labs: Labs;
  readonly outbox: Outbox;
  readonly sleeper: Sleeper;
  /** Carries out the commands that have come; whether there were any. */
  obey(): boolean;
  isEnding(): boolean;
  /** Whether there is another core for those who answer while it stays awake. */
  readonly mayWatch: boolean;
}

export class PacketLoop {
  readonly alignment: StampAlignment;
  readonly #parts: PacketLoopParts;
  #dropsCheckedNs: Nanos = 0;

  constructor(parts: PacketLoopParts) {
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
      if (made > 0) this.#parts.ports.flush();
      if (taken > 0 || wasTold || made > 0) {
        activeNs = nowNs;
        patience.paidOff();
      }
      if (taken > 0 && nowNs - this.#dropsCheckedNs > CHECK_DROPS_NS) this.#checkDrops(nowNs);
      outbox.postDue(nowNs);
      if (taken > 0) continue;
      if (patience.lasts(nowNs - activeNs)) {
        // The scheduler likes to put the thread that a packet wakes onto the core of the one that sent it: ours.
        libc.schedYield();
        continue;
      }
      this.#sleep(nowNs);
    }
  }

  /** Handles all packets that are there; what comes meanwhile too. */
  catchUp(): void {
    while (this.#takePackets() > 0);
    this.#checkDrops(this.#parts.clock.now());
  }

  #takePackets(): number {
    const { ports } = this.#parts;
    const taken = ports.drain(MOST_PACKETS, this.#onPacket);
    if (taken > 0) ports.flush();
    return taken;
  }

  readonly #onPacket: OnPacket = (ifindex, packet, unixSec, nsec) => {
    const end = this.#parts.labs.byLink(ifindex);
    if (end === undefined) return;
    const nowNs = this.#parts.clock.now();
    const atNs = this.alignment.toMonotonicNs(unixSec, nsec, nowNs);
    end.wire.fromLink(end.side, packet, atNs);
  };

  #checkDrops(nowNs: Nanos): void {
    this.#dropsCheckedNs = nowNs;
    const drops = this.#parts.ports.takeDrops();
    if (drops === 0) return;
    const message = `the kernel lost ${drops} packets that found no room in the wire's ring: run fewer jobs at once`;
    this.#parts.outbox.put({ kind: 'failed', lab: 'all', message }, { isUrgent: true });
  }

  #sleep(nowNs: Nanos): void {
    const { clock, ports, sleeper, outbox } = this.#parts;
    const nextNs = Math.min(clock.timers.nextNs() ?? Number.POSITIVE_INFINITY, outbox.dueNs);
    sleeper.sleep(
      Math.min(nextNs - nowNs, LONGEST_SLEEP_NS),
      ports.rings.map(({ fd }) => fd),
    );
  }
}
