/** Points and lengths of time. The machine knows no clock: whoever drives it says what time it is. */

/** Nanoseconds since whenever the driver's clock began; it never goes back. */
export type Nanos = number;

export const NANOS_PER_MS = 1_000_000;

/** Of a timer that does not run. */
export const NEVER: Nanos = Number.POSITIVE_INFINITY;

export const fromMs = (ms: number): Nanos => Math.round(ms * NANOS_PER_MS);
