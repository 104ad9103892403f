/** Which stack and which lab a person means. */
import { release } from 'node:os';
import { didYouMean } from '../text/index.js';
import { UsageError } from './exit.js';

export const LABS: readonly string[] = ['netns'];

/** The stack under test: this machine's kernel, named with or without (the beginning of) its version. */
export function checkEndpoint(name: string): void {
  const [stack = '', version] = name.split('@');
  if (stack !== 'linux')
    throw new UsageError(
      `there is no endpoint "${name}"${didYouMean(stack, ['linux']) || `: this machine has linux@${release()}`}`,
    );
  if (version !== undefined && !`${release()}.`.startsWith(`${version}.`) && release() !== version)
    throw new UsageError(
      `there is no endpoint "${name}" in the netns lab: its stack is the running kernel, linux@${release()}`,
    );
}

export function checkLab(name: string): void {
  if (!LABS.includes(name))
    throw new UsageError(
      `there is no lab "${name}"${didYouMean(name, LABS) || `: there is ${LABS.join(', ')}`}`,
    );
}
