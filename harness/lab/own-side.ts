/** A side of a lab that is the project's own TCP, on this thread: its host, and what that reports of its states. */
import { randomBytes } from 'node:crypto';
import type { Clock, Nanos, Timer } from '../clock/index.js';
import { OwnHost } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { ReportedStates } from '../observe/index.js';
import type { Settings } from './lab.js';

export interface OwnSideOptions {
  readonly side: Side;
  readonly ip: string;
  readonly clock: Clock;
  readonly mtu: number;
  readonly settings: Settings;
  /** Takes each packet that leaves. */
  readonly output: (packet: Uint8Array) => void;
  /** The stack has made a mistake: the lab must not be trusted any more. */
  readonly failed: (error: unknown) => void;
  /** Where its keys and ports come from (default: the machine's randomness). */
  readonly randomBytes?: (octets: number) => Uint8Array;
}

/** A lab's clock, on which a mistake of the stack's concerns its lab and nobody else. */
class GuardedClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly guard: (step: () => void) => void,
  ) {}

  now(): Nanos {
    return this.clock.now();
  }

  at(atNs: Nanos, action: () => void): Timer {
    return this.clock.at(atNs, () => this.guard(action));
  }
}

export class OwnSide implements Disposable {
  readonly host: OwnHost;
  readonly reported: ReportedStates;
  readonly #failed: (error: unknown) => void;
  #isOver = false;

  constructor(options: OwnSideOptions) {
    const { side, ip, clock, mtu, settings, output } = options;
    this.#failed = options.failed;
    this.reported = new ReportedStates(side);
    this.host = new OwnHost({
      ip,
      clock: new GuardedClock(clock, (step) => this.#guard(step)),
      mtu,
      settings,
      output: (packet) => {
        if (!this.#isOver) output(packet);
      },
      observe: this.reported.take,
      randomBytes: options.randomBytes ?? randomBytes,
    });
  }

  /** The wire has delivered a packet. */
  deliver(packet: Uint8Array): void {
    this.#guard(() => this.host.deliver(packet));
  }

  #guard(step: () => void): void {
    if (this.#isOver) return;
    try {
      step();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Forgets all connections without a word to anybody. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.host[Symbol.dispose]();
  }
}
