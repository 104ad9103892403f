/** What a guard becomes when the process that it looked after has ended: removes what that left in its engine. */
import { Engine } from './engine.js';
import type { EngineOptions } from './engine-address.js';

const [runId = '', options = '{}'] = process.argv.slice(2);
// The process that started it wrote it.
await using engine = await Engine.connect(JSON.parse(options) as EngineOptions);
await engine.removeRun(runId);
