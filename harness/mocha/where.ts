/**
 * Where a mocha process plays: LASTACK_LAB (netns, virtual, docker), LASTACK_ENDPOINT (linux, linux@6.12, stack), and LASTACK_CLIENT or
 * LASTACK_SERVER for one side, and LASTACK_WIRE, as `--lab`, `--endpoint`, `--client`, `--server` and `--wire` on the command line. Why it
 * cannot is the reason that everything is skipped with.
 */
import { EngineError } from '../docker/index.js';
import { sharedEngine } from '../lab/index.js';
import { clockOf, type Filter, type RunOptions, type Where, whereOf } from '../run/index.js';
import { KernelUnavailable } from '../uml/index.js';

export const lab = process.env.LASTACK_LAB ?? 'netns';
const {
  LASTACK_ENDPOINT: endpoint = 'linux',
  LASTACK_CLIENT: client = endpoint,
  LASTACK_SERVER: server = endpoint,
  LASTACK_WIRE: wire,
} = process.env;

/** As it was said, for those who play it in a way of their own. */
export const said = { lab, ...(wire === undefined ? {} : { wire }) };

export interface MochaWhere {
  readonly openLab: RunOptions['openLab'];
  readonly filter: Filter;
  readonly jobs?: number;
  readonly unavailable?: string;
}

/** Labs that are side by side in one virtual timeline. */
const VIRTUAL_JOBS = 8;

export async function mochaWhere(): Promise<MochaWhere> {
  try {
    const where = whereOf({ ...said, endpoint, client, server });
    if (where.lab === 'docker') await sharedEngine();
    const filter = { clock: clockOf(where) };
    return { openLab: where.openLab, filter, ...jobsOf(where) };
  } catch (error) {
    if (!(error instanceof KernelUnavailable) && !(error instanceof EngineError)) throw error;
    const unavailable = error.message;
    const openLab = (): never => {
      throw error;
    };
    return { openLab, filter: { clock: lab === 'virtual' ? 'virtual' : 'real' }, unavailable };
  }
}

const jobsOf = (where: Where): { readonly jobs?: number } =>
  where.lab === 'virtual' ? { jobs: VIRTUAL_JOBS } : {};
