/** Medians: one slow round, when the machine does something else, must not count. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export const NANOS_PER_US = 1000;
export const NANOS_PER_MS = 1_000_000;

/** CLOCK_MONOTONIC in nanoseconds, for differences. */
export const nowNs = (): number => Number(process.hrtime.bigint());
