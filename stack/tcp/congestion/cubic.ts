/** CUBIC, RFC 9438. Windows are in segments here, as in the RFC, and times in seconds. */
import { type Nanos, NEVER } from '../time.js';
import type { CongestionState, CubicState } from './congestion-state.js';

/** Section 4.6. */
const BETA = 0.7;
/** Section 4.2: in segments per second cubed. */
const C = 0.4;
/** Section 4.3: as fast as Reno would be with this decrease. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);

export const noCubic = (): CubicState => ({
  epochStartNs: NEVER,
  updatedNs: 0,
  wMax: 0,
  k: 0,
  wEst: 0,
  cwndPrior: 0,
});

export interface CubicGrowth {
  readonly ackedOctets: number;
  readonly mss: number;
  readonly srttNs: Nanos;
  readonly nowNs: Nanos;
}

/** Sections 4.2 to 4.5, for one ACK in congestion avoidance. */
export function growByCubic(state: CongestionState, { ackedOctets, mss, srttNs, nowNs }: CubicGrowth): void {
  const { cubic } = state;
  const cwnd = state.cwnd / mss;
  const acked = ackedOctets / mss;
  if (cubic.epochStartNs === NEVER) beginEpoch(cubic, cwnd, nowNs);
  cubic.updatedNs = nowNs;
  const seconds = (nowNs - cubic.epochStartNs) / 1e9;
  const target = Math.min(Math.max(wCubic(cubic, seconds + srttNs / 1e9), cwnd), 1.5 * cwnd);
  const alpha = cubic.wEst >= cubic.cwndPrior ? 1 : ALPHA;
  cubic.wEst += (alpha * acked) / cwnd;
  const grown =
    wCubic(cubic, seconds) < cubic.wEst
      ? Math.max(cubic.wEst, cwnd)
      : cwnd + ((target - cwnd) / cwnd) * acked;
  state.cwnd = grown * mss;
}

function beginEpoch(cubic: CubicState, cwnd: number, nowNs: Nanos): void {
  cubic.epochStartNs = nowNs;
  // Section 4.8: after slow start without a loss there is no W_max to return to.
  if (cubic.wMax < cwnd) cubic.wMax = cwnd;
  cubic.k = Math.cbrt((cubic.wMax - cwnd) / C);
  cubic.wEst = cwnd;
}

/** Section 4.2: the time does not count in which the program, and not the window, was what held data back. */
export function pauseCubic({ cubic }: CongestionState, nowNs: Nanos): void {
  if (cubic.epochStartNs !== NEVER) cubic.epochStartNs += nowNs - cubic.updatedNs;
  cubic.updatedNs = nowNs;
}

const wCubic = ({ wMax, k }: CubicState, seconds: number): number => C * (seconds - k) ** 3 + wMax;

/** Sections 4.6 and 4.7: multiplicative decrease and fast convergence. The new threshold, in octets. */
export function cubicThreshold(state: CongestionState, flight: number, mss: number): number {
  const { cubic } = state;
  const cwnd = state.cwnd / mss;
  cubic.wMax = cwnd < cubic.wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;
  cubic.cwndPrior = cwnd;
  cubic.epochStartNs = NEVER;
  return Math.max(Math.min(flight, state.cwnd) * BETA, 2 * mss);
}
