/**
 * What it takes to make a lab here: nothing (root, or inside a user namespace), a user namespace to be made first, or
 * something that this machine does not give; then one sentence says what, and what to do about it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { libc, SysError } from '../../sys/index.js';
import { ADDRESS_BLOCK_VARIABLE, claimBlock } from './address-block.js';
import { explainSysError } from './explain.js';
import { probeNetns } from './probe.js';

const PR_SET_PDEATHSIG = 1;

/**
 * - `direct`: labs can be made in this process;
 * - `user-namespace`: they can be in a process that is root of a user namespace of its own;
 * - `none`: neither; the sentence says why and what to do.
 */
export interface NetnsCapability {
  readonly way: 'direct' | 'user-namespace' | 'none';
  readonly sentence: string;
}

/** Tries it: makes two namespaces with a link between them, and lets them go. */
export function netnsCapability(): NetnsCapability {
  const problem = failureOf(probeNetns);
  if (problem === undefined)
    return { way: 'direct', sentence: 'namespaces, links and packet sockets can be made here' };
  if (!(problem instanceof SysError) || !isMissingPrivilege(problem))
    return { way: 'none', sentence: explainSysError(problem) };
  if (process.env[ADDRESS_BLOCK_VARIABLE] !== undefined)
    return {
      way: 'none',
      sentence: `a user namespace of its own does not suffice here (${problem.message}): run lastack as root`,
    };
  const refusal = userNamespaceRefusal();
  if (refusal !== undefined) return { way: 'none', sentence: refusal };
  return {
    way: 'user-namespace',
    sentence: 'a lab needs a user namespace of its own, which this user may make',
  };
}

const isMissingPrivilege = ({ code }: SysError): boolean => code === 'EPERM' || code === 'EACCES';

/**
 * The arguments of unshare(1) to run `node` with `args` as root of a user namespace of its own. It becomes that node,
 * rather than waiting for it: signals and the end of the parent (see `dieWithParent`) have one process to reach.
 */
export function userNamespaceCommand(args: readonly string[]): {
  readonly command: string;
  readonly args: readonly string[];
} {
  return {
    command: 'unshare',
    args: ['--map-root-user', '--net', '--', process.execPath, ...args],
  };
}

/** Why this user gets no user namespace; undefined when one was made. */
function userNamespaceRefusal(): string | undefined {
  const { command, args } = userNamespaceCommand(['-e', '0']);
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined)
    return `the program "unshare" is missing, which makes the user namespace that a lab needs: install util-linux, or run lastack as root`;
  if (status === 0) return undefined;
  return refusalReason(readSetting, stderr.trim());
}

type ReadSetting = (name: string) => string | undefined;

/** The setting of the machine that forbids user namespaces, and how to allow them. */
export function refusalReason(setting: ReadSetting, said: string): string {
  const orRoot = 'or run lastack as root (sudo)';
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1')
    return `AppArmor forbids user namespaces to programs without a profile (Ubuntu since 24.04): allow them with "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0", ${orRoot}`;
  if (setting('kernel/unprivileged_userns_clone') === '0')
    return `this system forbids user namespaces to ordinary users: allow them with "sudo sysctl kernel.unprivileged_userns_clone=1", ${orRoot}`;
  for (const name of ['user/max_user_namespaces', 'user/max_net_namespaces'])
    if (setting(name) === '0')
      return `this system allows no new namespaces (${name.replace('/', '.')} is 0): allow some with "sudo sysctl ${name.replace('/', '.')}=10000", ${orRoot}`;
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv'))
    return `this container forbids user namespaces (its seccomp profile, as a rule): start it with "--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined", or run lastack outside of it`;
  return `this system makes no user namespace for ordinary users (${said || 'unshare failed'}): ask its administrator, ${orRoot}`;
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function failureOf(attempt: () => void): unknown {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * The environment of the process in the user namespace. Its addresses are claimed here, since its own network namespace
 * cannot tell who else runs on this machine; they are held as long as this process lives.
 */
export const userNamespaceEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  [ADDRESS_BLOCK_VARIABLE]: String(claimBlock().block),
});

let isBound = false;

/** In a process that was started in a user namespace: ends with the one that started it, also when that is killed. */
export function dieWithParent(): void {
  if (isBound || process.env[ADDRESS_BLOCK_VARIABLE] === undefined) return;
  isBound = true;
  libc.prctl(PR_SET_PDEATHSIG, constants.signals.SIGKILL, 0, 0, 0);
}

/** Runs this program once more as root of a user namespace, with the same terminal. Its exit code. */
export function reexecInUserNamespace(args: readonly string[]): Promise<number> {
  const { command, args: all } = userNamespaceCommand(args);
  const child = spawn(command, [...all], { stdio: 'inherit', env: userNamespaceEnvironment() });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  // Ctrl-C reaches the whole foreground group; a signal sent to us alone has to be handed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}
