/**
 * What time it is in a lab, and a call at a later time. The wire and everything stamped with it take
 * a clock from the lab that owns it, so that a lab in virtual time can bring its own.
 */

/** Nanoseconds since the clock's epoch. */
export type Nanos = number;

/** A call that was asked for and has not happened yet. */
export interface Timer {
  /** Forget the call. Harmless when it has already happened. */
  cancel(): void;
}

export interface Clock {
  /** The time now, in nanoseconds since this clock's epoch. */
  now(): Nanos;
  /** Call `action` once at `atNs` (at once, but not synchronously, when that has passed). */
  at(atNs: Nanos, action: () => void): Timer;
}

export const NANOS_PER_MS = 1_000_000;
export const NANOS_PER_SECOND = 1_000_000_000;
