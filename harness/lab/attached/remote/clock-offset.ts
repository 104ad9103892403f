/** How far the clock of another machine is from ours, from questions and answers. Pure. */

/** A question for the time: when it was asked, what the answer was, and when that came. */
export interface ClockSample {
  readonly beforeNs: bigint;
  readonly theirsNs: bigint;
  readonly afterNs: bigint;
}

export interface ClockOffset {
  /** What is added to a time of ours for theirs. */
  readonly offsetNs: bigint;
  /** It is not further off than this. */
  readonly errorNs: number;
}

/** The same clock. */
export const NO_OFFSET: ClockOffset = { offsetNs: 0n, errorNs: 0 };

/** From the sample with the shortest round trip: the answer was made in it, at its middle for all that is known. */
export function estimateOffset(samples: readonly ClockSample[]): ClockOffset {
  const [narrowest] = [...samples].sort((a, b) => Number(roundTrip(a) - roundTrip(b)));
  if (narrowest === undefined) throw new RangeError('nobody has told the time');
  const { beforeNs, theirsNs } = narrowest;
  const halfNs = roundTrip(narrowest) / 2n;
  return { offsetNs: theirsNs - (beforeNs + halfNs), errorNs: Number(halfNs) + 1 };
}

/** How far times may be off that were brought over by `used`, when `now` is what is measured: clocks of two machines drift apart. */
export function driftedErrorNs(used: ClockOffset, now: ClockOffset): number {
  const drift = Number(now.offsetNs - used.offsetNs);
  return Math.max(used.errorNs, Math.abs(drift) + now.errorNs);
}

const roundTrip = ({ beforeNs, afterNs }: ClockSample): bigint => afterNs - beforeNs;
