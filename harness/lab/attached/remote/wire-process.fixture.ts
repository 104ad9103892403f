/** For tests: `lastack wire` as a process of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WireProcess } from './remote-wire.js';

const MAIN = fileURLToPath(new URL('../../../cli/main.js', import.meta.url));

export class SpawnedWire implements WireProcess, AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdio: WireProcess['stdio'];
  readonly ended: Promise<{ readonly sentence: string; readonly code: number | null }>;

  constructor(
    args: readonly string[] = [],
    { command = process.execPath, program = [MAIN, 'wire'] }: { command?: string; program?: string[] } = {},
  ) {
    const child = spawn(command, [...program, ...args], { stdio: 'pipe' });
    this.child = child;
    this.stdio = child;
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) =>
        resolve({ sentence: `it was ended by ${signal ?? `code ${code}`}`, code }),
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
