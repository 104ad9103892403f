/**
 * For mocha's `require`: brings the process to where labs can be made. Where that takes a user namespace, mocha has not begun
 * yet: the same command runs again as root of one, and this process ends as that one did.
 */
import { spawnSync } from 'node:child_process';
import { netnsCapability, userNamespaceCommand, userNamespaceEnvironment } from '../lab/index.js';
import { lab } from './where.js';

const capability = netnsCapability();
const takesNetns = lab === 'netns';

if (takesNetns && capability.way === 'user-namespace') {
  const { command, args } = userNamespaceCommand([...process.execArgv, ...process.argv.slice(1)]);
  const { status, signal } = spawnSync(command, args, { stdio: 'inherit', env: userNamespaceEnvironment() });
  process.exit(status ?? (signal === null ? 3 : 1));
}

/** Why no lab can be had here; undefined where they can. */
export const unavailable: string | undefined =
  takesNetns && capability.way === 'none' ? capability.sentence : undefined;
