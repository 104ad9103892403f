/**
 * How far a measured value may be from the one the specification names, by kind of observation, each with its reason.
 * All tolerances of the judgement are here; the measured value is always in the finding.
 */
import type { Side } from '../fault/index.js';
import type { Trace } from '../trace/index.js';

/**
 * Linux's timer wheel (kernel/time/timer.c) fires a timer never early and up to an eighth of its length late; other stacks
 * with coarse ticks are no worse.
 */
export const TIMER_LATE_SHARE = 0.125;

/** A stack, the observer and the wire's thread share busy processors: a wake-up may come this much later. */
export const WAKE_UP_LATE_MS = 150;

/** Timers that count from a moment a little before the segment that the wire saw may seem to fire this much early. */
export const TIMER_EARLY_MS = 20;

/** RFC 9293 section 3.8.6.3 (MUST-40): an ACK may wait 0.5 s. What must be answered is answered within that. */
export const ACK_DELAY_MS = 500;

/** What must be acknowledged is, within this time. */
export const ANSWERED_WITHIN_MS = ACK_DELAY_MS + WAKE_UP_LATE_MS;

/** How soon a stack reacts that has no reason to wait. */
export const REACTION_MS = WAKE_UP_LATE_MS;

/**
 * RFC 5961 section 7 (R5961-06) lets a stack throttle its answers to unacceptable segments: 10 in 5 s is the RFC's example;
 * Linux sends one in 500 ms to a connection (tcp_invalid_ratelimit). An answer so soon after another may be missing.
 */
export const THROTTLE_MS = 1000;

/**
 * Doubling: the next gap is twice the one before, each up to an eighth late. Below this ratio it did not grow
 * (2 / 1.125 less the wake-up's share of a 200 ms gap); above the other it more than doubled.
 */
export const DOUBLING = { least: 1.5, most: 2.6 } as const;

/** Gaps that stay alike within this share do not grow: the segment is repeated at even distance. */
export const EVEN_SHARE = 0.25;

/**
 * RFC 6298 rule 2.5 (R6298-07): an upper bound of the RTO is allowed, not under 60 s. A gap that came near it need not grow.
 */
export const LEAST_RTO_BOUND_MS = 60_000;

/** A SYN,ACK within this time of a SYN answers it and was not sent by a timer. */
export const ANSWER_MS = 50;

/** Two stamps of one instant by different eyes (trace.alignment has the measured bound; this covers the reading of it). */
export const STAMP_MS = 5;

/** A guess at the next ISN that is as close as this would do for an attacker: one window of RFC 9293's unscaled 16 bits. */
export const ISN_GUESS_OCTETS = 65_536;

/** Fewer connections than this say nothing about how ISNs are chosen. */
export const ISN_LEAST_CONNECTIONS = 4;

/** A stack that counts time in ticks knows the beginning and the end of an interval to one tick (Linux with HZ=1000). */
export const TICK_MS = 1;

/** What lies between a timer of a stack and what a trace shows of it, whatever the timer's length. */
export interface Tolerance {
  readonly earlyMs: number;
  readonly lateMs: number;
  /** Between two stamps of one instant. */
  readonly stampMs: number;
}

const REAL_TIME: Tolerance = { earlyMs: TIMER_EARLY_MS, lateMs: WAKE_UP_LATE_MS, stampMs: STAMP_MS };

/** Nobody waits for a processor, and all stamps are of one clock: what is left is the stack's own. */
const VIRTUAL_TIME: Tolerance = { earlyMs: TICK_MS, lateMs: TICK_MS, stampMs: 0 };

/** How exact the times of a trace are: its lab tells. */
export const toleranceOf = ({ lab }: Pick<Trace, 'lab'>): Tolerance =>
  lab === 'virtual' ? VIRTUAL_TIME : REAL_TIME;

/** The latest that a timer of `ms` may fire, as seen from outside in this trace. */
export const latestMs = (ms: number, trace: Pick<Trace, 'lab'>): number =>
  ms * (1 + TIMER_LATE_SHARE) + toleranceOf(trace).lateMs;

/** The earliest that it may. */
export const earliestMs = (ms: number, trace: Pick<Trace, 'lab'>): number => ms - toleranceOf(trace).earlyMs;

/** What is known of the stack of a side, by the name before the `@`. */
export const knownOf = (
  table: Readonly<Record<string, number>>,
  { endpoints }: Pick<Trace, 'endpoints'>,
  side: Side,
): number | undefined => {
  const stack = endpoints.find((endpoint) => endpoint.side === side)?.stack ?? '';
  return table[stack.split('@')[0] ?? ''];
};

/** How long a stack is known to stay in TIME-WAIT. RFC 9293 leaves the MSL to it. */
export const TIME_WAIT_MS: Readonly<Record<string, number>> = {
  // include/net/tcp.h: TCP_TIMEWAIT_LEN is 60 * HZ, whatever tcp_fin_timeout says.
  linux: 60_000,
  // stack/tcp/settings.ts: twice its mslMs.
  stack: 60_000,
  // src/socket/tcp.rs: CLOSE_DELAY.
  smoltcp: 10_000,
};

/** How long a stack is known to stay in FIN-WAIT-2 when its program is gone. RFC 9293 has no such timer. */
export const FIN_WAIT_2_MS: Readonly<Record<string, number>> = {
  // include/net/tcp.h: TCP_FIN_TIMEOUT, the default of the sysctl tcp_fin_timeout.
  linux: 60_000,
  // stack/tcp/settings.ts: finWait2Ms.
  stack: 60_000,
};
