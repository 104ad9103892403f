/** Which stacks a person means, and in which lab. */
import { availableParallelism, release } from 'node:os';
import { openNetnsLab, type VirtualStacks, virtualLabs } from '../lab/index.js';
import { didYouMean } from '../text/index.js';
import { findKernel, installedKernels, isUpToDate, KernelUnavailable } from '../uml/index.js';
import type { RunOptions } from './play-in-lab.js';
import type { Filter } from './selection.js';

export const LABS: readonly string[] = ['netns', 'virtual'];

/** There is no such lab, or no such endpoint in it. */
export class NoSuchPlace extends Error {
  override readonly name = 'NoSuchPlace';
}

export interface WhereOptions {
  readonly lab: string;
  readonly endpoint: string;
  /** Instead of `endpoint`, for one side. */
  readonly client?: string;
  readonly server?: string;
}

export type Where =
  | { readonly lab: 'netns'; readonly openLab: RunOptions['openLab'] }
  | {
      readonly lab: 'virtual';
      readonly openLab: RunOptions['openLab'];
      readonly stacks: VirtualStacks;
      /** Labs at once that keep all cores busy. */
      readonly jobs: number;
    };

/** Throws NoSuchPlace for a lab or an endpoint that there is not, and KernelUnavailable for a kernel that was not built. */
export function whereOf({ lab, endpoint, client = endpoint, server = endpoint }: WhereOptions): Where {
  switch (lab) {
    case 'netns':
      for (const name of [client, server]) checkRunningKernel(name);
      return { lab, openLab: openNetnsLab };
    case 'virtual': {
      const stacks = { client: kernelVersion(client), server: kernelVersion(server) };
      return { lab, openLab: virtualLabs(stacks), stacks, jobs: availableParallelism() };
    }
    default:
      throw new NoSuchPlace(
        `there is no lab "${lab}"${didYouMean(lab, LABS) || `: there is ${LABS.join(', ')}`}`,
      );
  }
}

export const clockOf = ({ lab }: Where): NonNullable<Filter['clock']> =>
  lab === 'virtual' ? 'virtual' : 'real';

function parseEndpoint(name: string): { readonly version: string | undefined } {
  const [stack = '', version] = name.split('@');
  if (stack === 'linux') return { version };
  throw new NoSuchPlace(
    `there is no endpoint "${name}"${didYouMean(stack, ['linux']) || ': there is linux, with or without a version such as linux@6.12'}`,
  );
}

/** The stack under test is this machine's kernel, named with or without (the beginning of) its version. */
function checkRunningKernel(name: string): void {
  const { version } = parseEndpoint(name);
  if (version !== undefined && !`${release()}.`.startsWith(`${version}.`) && release() !== version)
    throw new NoSuchPlace(
      `there is no endpoint "${name}" in the netns lab: its stack is the running kernel, linux@${release()}; other kernels run with --lab virtual`,
    );
}

/** A kernel that was built here: the version that is named, or the newest. */
function kernelVersion(name: string): string {
  const { version } = parseEndpoint(name);
  if (version !== undefined) return findKernel(version).release;
  const newest = installedKernels().findLast(isUpToDate);
  if (newest === undefined)
    throw new KernelUnavailable(
      'the virtual lab runs kernels that were built for it, and there is none yet: "lastack kernel build 6.12" builds one',
    );
  return newest.release;
}
