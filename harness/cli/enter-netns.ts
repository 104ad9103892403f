/** Brings the process to where labs can be made. */
import { netnsCapability, reexecInUserNamespace } from '../lab/index.js';
import { EnvironmentError } from './exit.js';

/** Undefined: go on here. A number: it was all done in a process in a user namespace, which ended with this code. */
export async function enterNetns(): Promise<number | undefined> {
  const { way, sentence } = netnsCapability();
  switch (way) {
    case 'direct':
      return undefined;
    case 'none':
      throw new EnvironmentError(sentence);
    case 'user-namespace':
      process.stderr.write('lastack: without root, labs are made in a user namespace\n');
      return reexecInUserNamespace([...process.execArgv, ...process.argv.slice(1)]);
  }
}
