/** CLOCK_MONOTONIC as the harness's time base, and how kernel stamps of CLOCK_REALTIME are brought onto it. */
import type { Nanos } from '../clock/index.js';

/** CLOCK_MONOTONIC in nanoseconds, exact. */
export const monotonicNs = (): bigint => process.hrtime.bigint();

/** Nanoseconds since `epochNs`, as a number: exact for the first 104 days. */
export const since = (epochNs: bigint): Nanos => Number(process.hrtime.bigint() - epochNs);
