/** Toxiproxy's server where no registry answers: built from its Go module at the released image's version. */
import { readFileSync } from 'node:fs';
import { buildServer, moduleOf } from '../../toxiproxy/index.js';
import { tar } from '../engine/index.js';
import { defaultOf } from './dockerfile.js';
import type { Import, Making } from './ways.js';

/** Where the released image has it. */
const NAME = 'toxiproxy';

export async function toxiproxyServer(
  { workshop, onStep, signal }: Making,
  dockerfile: string,
): Promise<Import> {
  const version = defaultOf(dockerfile, 'RELEASED').replace(/^.*:/, '');
  onStep({ doing: `building ${moduleOf(version)} with Go` });
  const server = await buildServer(version, workshop);
  signal.throwIfAborted();
  const archive = tar([{ path: NAME, content: readFileSync(server), mode: 0o755 }]);
  return { archive, way: `built from the Go module ${moduleOf(version)}` };
}
