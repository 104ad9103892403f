/**
 * What the thread of a wire does all day: handles the packets that have come, makes the calls that are due, obeys the main thread, and sleeps when
 * there is nothing to do. It never returns to an event loop.
 */
import type { Nanos } from '../../../clock/index.js';
import { libc } from '../../../sys/index.js';
import type { Outbox } from './outbox.js';
import { Patience } from './patience.js';
import type { Sleeper } from './sleeper.js';
import type { ThreadClock } from './thread-clock.js';

/** Packets taken in a row before timers and commands get their turn. */
export const MOST_PACKETS = 64;
/** The longest sleep: should the main thread end us without waking us, we notice then. */
const LONGEST_SLEEP_NS = 250_000_000;

/** What a loop needs, wherever its packets come from. */
export interface CommonLoopParts {
  readonly clock: ThreadClock;
  readonly outbox: Outbox;
  readonly sleeper: Sleeper;
  /** Carries out the commands that have come; whether there were any. */
  obey(): boolean;
  isEnding(): boolean;
  /** Whether there is another core for those who answer while it stays awake. */
  readonly mayWatch: boolean;
}

/** Where the packets come from. */
export interface PacketSource {
  /** Handles packets that are there, `MOST_PACKETS` or so; their number. */
  takePackets(): number;
  /** Packets were taken in this turn. */
  tookPackets?(nowNs: Nanos): void;
  /** Timers were due in this turn, and may have sent something. */
  ranTimers?(): void;
  /** Readable when there is something to take. */
  readonly fds: readonly number[];
  /** It has slept. */
  woke?(): void;
}

/** Returns when the main thread says that it ends. */
export function runLoop(parts: CommonLoopParts, source: PacketSource): void {
  const { clock, outbox, sleeper } = parts;
  const patience = new Patience({ mayWatch: parts.mayWatch });
  let activeNs = clock.now();
  while (!parts.isEnding()) {
    const taken = source.takePackets();
    const wasTold = parts.obey();
    const nowNs = clock.now();
    const made = clock.timers.runDue(nowNs);
    if (made > 0) source.ranTimers?.();
    if (taken > 0 || wasTold || made > 0) {
      activeNs = nowNs;
      patience.paidOff();
    }
    if (taken > 0) source.tookPackets?.(nowNs);
    outbox.postDue(nowNs);
    if (taken > 0) continue;
    if (patience.lasts(nowNs - activeNs)) {
      // The scheduler likes to put the thread that a packet wakes onto the core of the one that sent it: ours.
      libc.schedYield();
      continue;
    }
    const nextNs = Math.min(clock.timers.nextNs() ?? Number.POSITIVE_INFINITY, outbox.dueNs);
    sleeper.sleep(Math.min(nextNs - nowNs, LONGEST_SLEEP_NS), source.fds);
    source.woke?.();
  }
}
