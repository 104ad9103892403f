/** A thread of a `ScenarioPool`: plays the scenarios that it is told, in the virtual world that is its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { type VirtualStacks, virtualLabs, World } from '../lab/index.js';
import { messageOf } from '../text/index.js';
import { runScenario } from './run-scenario.js';
import type { Scenario } from './scenario.js';
import type { PoolAnswer, PoolTask } from './scenario-pool.js';

const { module, stacks, processor } = workerData as {
  module: string;
  stacks: VirtualStacks;
  processor: number;
};
const { allScenarios } = (await import(module)) as { allScenarios: readonly Scenario[] };
World.shared({ processor });
const openLab = virtualLabs(stacks);

async function answer({ number, id, ipVersion, untilClosed }: PoolTask): Promise<PoolAnswer> {
  const found = allScenarios.find((scenario) => scenario.id === id);
  if (found === undefined) return { number, error: `the module ${module} has no scenario ${id}` };
  try {
    const { scenario: _, ...run } = await runScenario(found, { ipVersion, openLab, untilClosed });
    return { number, run };
  } catch (error) {
    return { number, error: messageOf(error) };
  }
}

async function play(task: PoolTask): Promise<void> {
  const answered = await answer(task);
  try {
    parentPort?.postMessage(answered);
  } catch (error) {
    // A trace of something that cannot be sent.
    parentPort?.postMessage({ number: task.number, error: messageOf(error) });
  }
}

async function end(): Promise<never> {
  await World.shared().close();
  // Whatever a story still waits for.
  process.exit();
}

parentPort?.on('message', (message: PoolTask | 'end') => void (message === 'end' ? end() : play(message)));
