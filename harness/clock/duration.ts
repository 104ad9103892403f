/** Lengths of time as people write them: `300ms`, `1.5s`, `2min`; a bare number is milliseconds. */

export type Duration = number | `${number}${'us' | 'ms' | 's' | 'min' | 'h'}`;

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
};

/** Throws a `RangeError` for what is no length of time. */
export function durationMs(duration: Duration | string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h)?\s*$/.exec(String(duration));
  const perUnit = MS_PER_UNIT[match?.[2] ?? 'ms'];
  if (match === null || perUnit === undefined) {
    throw new RangeError(
      `"${duration}" is no length of time: write 300ms, 1.5s, 2min or a number of milliseconds`,
    );
  }
  return Number(match[1]) * perUnit;
}

/** The shortest way to write it: `300ms`, `1.5s`. */
export function durationText(ms: number): string {
  if (ms >= 1000) return `${round(ms / 1000)}s`;
  return ms >= 1 || ms === 0 ? `${round(ms)}ms` : `${round(ms * 1000)}us`;
}

const round = (n: number): number => Math.round(n * 1000) / 1000;
