/** For tests: the real agent, compiled, and endpoints behind it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Drive } from '../loopback-fixture.js';
import { AgentClient } from './agent-client.js';
import { AgentEndpoint } from './agent-endpoint.js';
import { openStdioAgent } from './stdio-agent.js';

const SOURCE = fileURLToPath(new URL('../../../../images/agent/agent.c', import.meta.url));

let compiled: string | undefined;

/** A `before` hook: compiles the agent once in a process, or skips the suite, and says why, where there is no compiler. */
export function needsAgent(this: Mocha.Context): void {
  if (compiled !== undefined) return;
  if (spawnSync('cc', ['--version']).status !== 0) {
    process.stderr.write(
      'skipped: the agent cannot be compiled without a C compiler ("apt-get install gcc")\n',
    );
    this.skip();
  }
  const folder = mkdtempSync(join(tmpdir(), 'lastack-agent-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'agent');
  execFileSync('cc', ['-static', '-O2', '-Wall', '-Werror', '-o', file, SOURCE]);
  compiled = file;
}

/** The agent's executable. */
export function agentFile(): string {
  if (compiled === undefined) throw new Error('the agent was not compiled: use needsAgent');
  return compiled;
}

/** One agent drives both endpoints, and lives where they live. */
export const driveAgent: Drive = ({ namespace, ...place }) => {
  const client = new AgentClient(namespace.run(() => openStdioAgent(agentFile())));
  const common = { ...place, client, stack: `linux@${release()}` };
  return {
    client: new AgentEndpoint({ ...common, side: 'client' }),
    server: new AgentEndpoint({ ...common, side: 'server' }),
    free: () => client.close(),
  };
};
