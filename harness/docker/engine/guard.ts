/**
 * Looks after what this process makes in an engine: when it ends, whatever ends it, a small process of its own takes away what is left.
 * Containers with our standard streams end by themselves then; others, and networks, would stay.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineOptions } from './engine-address.js';

export interface Guard {
  /** Nothing is left to look after: it ends at once. */
  letGo(): void;
}

const REMOVER = fileURLToPath(new URL('./guard-main.js', import.meta.url));
/** Only when it has to remove something does the shell become a Node, which takes longer to start. */
const SCRIPT = 'read _ && exit; exec "$@"';
const FOLDERS = ['DOCKER_CONFIG', 'DOCKER_CERT_PATH'] as const;

/** It has a session of its own: a terminal's Ctrl-C is not for it. It keeps no event loop alive. */
export function startGuard(runId: string, options: EngineOptions): Guard {
  const args = [process.execPath, REMOVER, runId, JSON.stringify(options)];
  const guard = spawn('/bin/sh', ['-c', SCRIPT, 'lastack-guard', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: environment(),
  });
  // Without a guard, `lastack clean` finds what is left.
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  // The pipe is a handle of its own; its type does not tell.
  (guard.stdin as unknown as { unref(): void }).unref();
  return { letGo: () => guard.stdin.end('done\n') };
}

/** As ours, but for what is meant for this program only, and with folders that are the same from another one. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  for (const name of FOLDERS) if (env[name]) env[name] = resolve(env[name]);
  return env;
}
