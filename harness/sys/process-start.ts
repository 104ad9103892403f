/** Which process a pid means: the kernel uses its numbers again. */
import { readFileSync } from 'node:fs';

/** Start time of a process in clock ticks since boot (proc(5), field 22 of stat): tells a pid used again from the first. */
export function startOfProcess(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
