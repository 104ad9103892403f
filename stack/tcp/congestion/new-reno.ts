/** The standard response to loss and growth of RFC 5681 section 3.1. */
import type { CongestionState } from './congestion-state.js';

/** A segment more for each window acknowledged, counted in octets (RFC 5681 section 3.1, RFC 3465). */
export function growByNewReno(state: CongestionState, ackedOctets: number, mss: number): void {
  state.acknowledged += ackedOctets;
  if (state.acknowledged < state.cwnd) return;
  state.acknowledged -= state.cwnd;
  state.cwnd += mss;
}

/** Equation (4): half of what is in flight. */
export const newRenoThreshold = (flight: number, mss: number): number => Math.max(flight / 2, 2 * mss);
