/** What congestion control remembers. Windows are in octets. */
import type { Nanos } from '../time.js';

export interface CongestionState {
  cwnd: number;
  /** Infinity until a loss has set it. */
  ssthresh: number;
  /** Octets acknowledged that have not yet made a segment of growth (RFC 3465). */
  acknowledged: number;
  /** The window was what held data back since it grew last: only then it may grow (RFC 9293 section 3.8.2, RFC 7661). */
  isLimiting: boolean;
  cubic: CubicState;
}

/** RFC 9438 section 4.1; windows in segments, as there. */
export interface CubicState {
  /** When congestion avoidance began; NEVER before. */
  epochStartNs: Nanos;
  /** When the window grew last, or might have. */
  updatedNs: Nanos;
  wMax: number;
  k: number;
  wEst: number;
  cwndPrior: number;
}
