/**
 * A trace for a test of one's own: opens a lab, lets a story play on its stage, and hands over what was recorded. No
 * scenario, no checks, no suite; the lab is gone when the trace is there.
 */
import { idleFaults } from '../check/index.js';
import { openNetnsLab } from '../lab/index.js';
import type { Trace } from '../trace/index.js';
import { playInLab, type RunOptions } from './play-in-lab.js';
import type { Stage, Story } from './scenario.js';

export interface RecordOptions
  extends Partial<Omit<RunOptions, 'settled'>>,
    Pick<Story, 'faults' | 'settings' | 'mtu' | 'addresses' | 'peer' | 'limitMs'> {
  /** Names the trace and its files (default `recorded`). */
  readonly name?: string;
}

/** The story was played and does not show what was asked for: a fault of the plan never acted. */
export class Inconclusive extends Error {
  override readonly name = 'Inconclusive';
  // Private: printers of errors do not print the whole trace.
  readonly #trace: Trace;

  constructor(message: string, trace: Trace) {
    super(message);
    this.#trace = trace;
  }

  /** What happened instead. */
  get trace(): Trace {
    return this.#trace;
  }
}

/** Rejects with what the story threw, and with `Inconclusive` when a fault of the plan never acted. */
export async function record(options: RecordOptions, story: (stage: Stage) => Promise<void>): Promise<Trace> {
  const { name = 'recorded', ipVersion = 4, openLab = openNetnsLab, eyes, untilClosed, ...setup } = options;
  const { outcome, error, trace } = await playInLab(
    { ...setup, id: name, play: story },
    {
      ipVersion,
      openLab,
      ...(eyes === undefined ? {} : { eyes }),
      ...(untilClosed === undefined ? {} : { untilClosed }),
    },
  );
  if (error !== undefined) throw error;
  if (outcome.kind !== 'played') throw new Inconclusive(`${name}: ${outcome.reason}`, trace);
  const idle = idleFaults(trace);
  if (idle !== undefined) throw new Inconclusive(`${name}: ${idle}`, trace);
  return trace;
}
