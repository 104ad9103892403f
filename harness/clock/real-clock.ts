/** Real time on the event loop: CLOCK_MONOTONIC since an epoch of the caller's choice. */
import { type Clock, NANOS_PER_MS, type Nanos, type Timer } from './clock.js';

/** setTimeout takes no longer delays. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class RealClock implements Clock {
  /** `epochNs` is a CLOCK_MONOTONIC time (`process.hrtime.bigint()`). */
  constructor(readonly epochNs: bigint) {}

  now(): Nanos {
    return Number(process.hrtime.bigint() - this.epochNs);
  }

  at(atNs: Nanos, action: () => void): Timer {
    let timeout: NodeJS.Timeout;
    let immediate: NodeJS.Immediate | undefined;
    // The event loop's own time is coarse: setTimeout may fire up to a millisecond early, so look again.
    const wait = () => {
      const remainsMs = Math.ceil((atNs - this.now()) / NANOS_PER_MS);
      timeout = setTimeout(fire, Math.min(Math.max(remainsMs, 0), LONGEST_TIMEOUT_MS));
    };
    const fire = () => {
      if (this.now() < atNs) wait();
      // On a busy machine timers may be served before what came earlier: that gets its turn of the event loop first.
      else immediate = setImmediate(action);
    };
    wait();
    return {
      cancel() {
        clearTimeout(timeout);
        clearImmediate(immediate);
      },
    };
  }
}
