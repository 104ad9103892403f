/** Loses every subset of a connection's first segments, one run for each, and judges how each run ends. */
import type { TcpSettings } from '../tcp/index.js';
import { type Outcome, type RunOptions, run } from './run.js';
import type { Story } from './stories.js';
import { LATENCY_NS } from './two-hosts.js';
import { demand, Violation } from './violation.js';

export interface LossOptions {
  readonly story: Story;
  /** Of the first so many segments every subset is lost. */
  readonly segments: number;
  readonly ipVersion?: 4 | 6;
  readonly settings?: Partial<TcpSettings>;
  readonly stack?: NonNullable<RunOptions['stack']>;
}

export interface LossReport {
  readonly runs: number;
  /** Ended with all data delivered in both directions, and the ends seen. */
  readonly delivered: number;
  /** Ended with ETIMEDOUT after as many SYNs as are sent at most (RFC 9293 MUST-23). */
  readonly timedOut: number;
  readonly steps: number;
}

export function loseEverySubset(options: LossOptions): LossReport {
  const report = { runs: 0, delivered: 0, timedOut: 0, steps: 0 };
  for (let subset = 0; subset < 2 ** options.segments; subset += 1) {
    const outcome = loseSubset(options, subset);
    report.runs += 1;
    report.steps += outcome.steps;
    if (outcome.client.error === undefined) report.delivered += 1;
    else report.timedOut += 1;
  }
  return report;
}

/** Bit n of `subset`: the n-th segment of the connection is lost. */
export function loseSubset({ story, segments, ...rest }: LossOptions, subset: number): Outcome {
  try {
    const outcome = run({
      ...story,
      ...rest,
      fate: ({ index }) => (index < segments && ((subset >> index) & 1) === 1 ? [] : [LATENCY_NS]),
    });
    judge(story, outcome, subset);
    return outcome;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(`subset ${subset} (${subset.toString(2)}): ${error.message}`);
  }
}

/** Data that was delivered and ends that were seen; or a SYN that was never answered. */
function judge(story: Story, { client, server }: Outcome, subset: number): void {
  if (client.error === 'ETIMEDOUT' && client.received === 0) {
    // Eight SYNs, and each of them or its answer was lost.
    demand(
      lost(subset) >= MOST_SYNS,
      () => `the client gave up, and only ${lost(subset)} segments were lost`,
    );
    return;
  }
  demand(client.error === undefined, () => `the client has ${client.error}`);
  demand(server.error === undefined, () => `the server has ${server.error}`);
  demand(client.received === story.server.sends, () => `the client received ${client.received} octets`);
  demand(server.received === story.client.sends, () => `the server received ${server.received} octets`);
  demand(client.hasSeenEnd && server.hasSeenEnd, () => 'an end was not seen');
}

const MOST_SYNS = 8;

const lost = (subset: number): number => {
  let count = 0;
  for (let rest = subset; rest > 0; rest >>= 1) count += rest & 1;
  return count;
};
