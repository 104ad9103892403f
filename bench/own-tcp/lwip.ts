/** lwIP as a process beside the bench, built from our small program when it is needed. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../../../bench/own-tcp/lwip-bulk.c', import.meta.url));

export class LwipProgram implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lwip-'));
  readonly program = join(this.#folder, 'lwip-bulk');

  constructor() {
    execFileSync('gcc', ['-O2', '-I/usr/include/lwip', SOURCE, '-o', this.program, '-llwip'], {
      stdio: 'inherit',
    });
  }

  /** Why it cannot be built here; undefined where it can. */
  static missing(): string | undefined {
    if (spawnSync('which', ['gcc']).status !== 0) return 'there is no gcc';
    const found = spawnSync(
      'gcc',
      ['-E', '-I/usr/include/lwip', '-include', 'lwip/init.h', '-x', 'c', '/dev/null'],
      {
        stdio: 'ignore',
      },
    );
    return found.status === 0 ? undefined : 'there is no lwIP: apt-get install liblwip-dev';
  }

  /** In the network namespace of the calling thread. */
  start(args: readonly string[]): ChildProcess {
    return spawn(this.program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
