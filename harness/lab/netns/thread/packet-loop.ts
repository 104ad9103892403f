/** The loop of the labs' thread: packets off the rings, through their labs' wires. */
import type { Nanos } from '../../../clock/index.js';
import { type OnPacket, StampAlignment } from '../../../wire/index.js';
import type { Labs } from './labs.js';
import type { PacketPorts } from './packet-port.js';
import { type CommonLoopParts, MOST_PACKETS, type PacketSource, runLoop } from './thread-loop.js';

/** How often the rings are asked for losses while packets come. */
const CHECK_DROPS_NS = 50_000_000;

export interface PacketLoopParts extends CommonLoopParts {
  readonly ports: PacketPorts;
  readonly labs: Labs;
}

export class PacketLoop implements PacketSource {
  readonly alignment: StampAlignment;
  readonly #parts: PacketLoopParts;
  #dropsCheckedNs: Nanos = 0;

  constructor(parts: PacketLoopParts) {
    this.#parts = parts;
    this.alignment = new StampAlignment(parts.clock.now);
  }

  /** Returns when the main thread says that it ends. */
  run(): void {
    runLoop(this.#parts, this);
  }

  /** Handles all packets that are there; what comes meanwhile too. */
  catchUp(): void {
    while (this.takePackets() > 0);
    this.#checkDrops(this.#parts.clock.now());
  }

  get fds(): readonly number[] {
    return this.#parts.ports.rings.map(({ fd }) => fd);
  }

  takePackets(): number {
    const { ports } = this.#parts;
    const taken = ports.drain(MOST_PACKETS, this.#onPacket);
    if (taken > 0) ports.flush();
    return taken;
  }

  tookPackets(nowNs: Nanos): void {
    if (nowNs - this.#dropsCheckedNs > CHECK_DROPS_NS) this.#checkDrops(nowNs);
  }

  ranTimers(): void {
    this.#parts.ports.flush();
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
}
