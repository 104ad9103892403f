/** The retransmission timer of RFC 6298. */
import type { ControlBlock, RoundTrip } from './control-block.js';
import type { TcpSettings } from './settings.js';
import { fromMs, type Nanos } from './time.js';

/** Section 2: G, the granularity of the clock. Drivers' clocks are finer than this. */
const GRANULARITY_NS = 1_000_000;
const MOST_DOUBLINGS = 32;

export const initialRoundTrip = (settings: TcpSettings): RoundTrip => ({
  srttNs: 0,
  rttvarNs: 0,
  rtoNs: fromMs(settings.rtoInitialMs),
  minNs: Number.POSITIVE_INFINITY,
  backoff: 0,
});

/** Rules 2.2 and 2.3: a measurement R of a segment that was sent once (section 3, Karn's algorithm), or by its timestamp. */
export function measured({ rtt, settings }: ControlBlock, sampleNs: Nanos): void {
  rtt.minNs = Math.min(rtt.minNs, sampleNs);
  if (rtt.srttNs === 0) {
    rtt.srttNs = Math.max(sampleNs, 1);
    rtt.rttvarNs = sampleNs / 2;
  } else {
    rtt.rttvarNs = 0.75 * rtt.rttvarNs + 0.25 * Math.abs(rtt.srttNs - sampleNs);
    rtt.srttNs = 0.875 * rtt.srttNs + 0.125 * sampleNs;
  }
  setRto(rtt, settings);
}

/** Rules 2.2 to 2.5. */
function setRto(rtt: RoundTrip, settings: TcpSettings): void {
  const rtoNs = rtt.srttNs + Math.max(GRANULARITY_NS, 4 * rtt.rttvarNs);
  rtt.rtoNs = Math.min(Math.max(rtoNs, fromMs(settings.rtoMinMs)), fromMs(settings.rtoMaxMs));
}

/** The time until the next time-out. Rule 5.5: doubled with each one; rule 2.5: bounded. */
export const currentRtoNs = ({ rtt, settings }: ControlBlock): Nanos =>
  Math.min(rtt.rtoNs * 2 ** Math.min(rtt.backoff, MOST_DOUBLINGS), fromMs(settings.rtoMaxMs));

/** Rule 5.7: whose SYN was repeated begins with 3 s, however often it was repeated. */
export function synWasRepeated({ rtt, settings }: ControlBlock): void {
  rtt.backoff = 0;
  rtt.rtoNs = Math.max(rtt.rtoNs, Math.min(fromMs(3000), fromMs(settings.rtoMaxMs)));
}
