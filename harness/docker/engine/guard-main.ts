/** What a guard becomes when the process that it looked after has ended: removes what that left in its engine. */
import { type EngineOptions, engineAddress } from './engine-address.js';
import { openClient } from './engine-client.js';
import { surroundings } from './surroundings.js';
import { removeRun } from './sweep.js';

const [runId = '', options = '{}'] = process.argv.slice(2);
// The process that started it wrote it.
const address = engineAddress(JSON.parse(options) as EngineOptions, surroundings());
const { docker, agent, text } = await openClient(address);
try {
  await removeRun(docker, text, runId);
} finally {
  agent.destroy();
}
