/**
 * Where a mocha process plays: LASTACK_LAB (netns, virtual) and LASTACK_ENDPOINT (linux, linux@6.12), as `--lab` and `--endpoint` on the
 * command line. Why it cannot is the reason that everything is skipped with.
 */
import { clockOf, type Filter, type RunOptions, whereOf } from '../run/index.js';
import { KernelUnavailable } from '../uml/index.js';

export const lab = process.env.LASTACK_LAB ?? 'netns';
const endpoint = process.env.LASTACK_ENDPOINT ?? 'linux';

export interface MochaWhere {
  readonly openLab: RunOptions['openLab'];
  readonly filter: Filter;
  readonly jobs?: number;
  readonly unavailable?: string;
}

/** Labs that are side by side in one virtual timeline. */
const VIRTUAL_JOBS = 8;

export function mochaWhere(): MochaWhere {
  try {
    const where = whereOf({ lab, endpoint });
    const filter = { clock: clockOf(where) };
    return { openLab: where.openLab, filter, ...(where.lab === 'virtual' ? { jobs: VIRTUAL_JOBS } : {}) };
  } catch (error) {
    if (!(error instanceof KernelUnavailable)) throw error;
    const unavailable = error.message;
    const openLab = (): never => {
      throw error;
    };
    return { openLab, filter: { clock: 'virtual' }, unavailable };
  }
}
