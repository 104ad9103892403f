/** Whether an engine's containers are processes of this machine that can be seen from here. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname, release } from 'node:os';

export interface EngineMachine {
  readonly isUnixSocket: boolean;
  /** What the engine says of its machine: the name and the kernel. */
  readonly name: string;
  readonly kernel: string;
}

/** PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h: of the namespace that sees every process. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const ENGINES = new Set(['dockerd', 'podman', 'docker']);

/**
 * A socket can lead elsewhere: through ssh, into Docker Desktop's machine, or out of a container that it is mounted into. The last has
 * another name, unless it shares its host's, and does not see the engine's process.
 */
export function isOfThisMachine({ isUnixSocket, name, kernel }: EngineMachine): boolean {
  return isUnixSocket && name === hostname() && kernel === release() && seesEngine();
}

function seesEngine(): boolean {
  try {
    if (readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE) return true;
  } catch {
    return false;
  }
  return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && ENGINES.has(commandOf(pid)));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}
