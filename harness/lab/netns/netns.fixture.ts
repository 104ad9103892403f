/** For this folder's tests: what they need of the machine, and what they do again and again. */
import type { Connection } from '../../endpoint/index.js';
import type { LabOptions } from '../lab.js';
import { type NetnsLab, openNetnsLab } from './netns-lab.js';
import { netnsCapability } from './privilege.js';

const capability = netnsCapability();

/** A `before` hook: skips the suite, and says why, where this process cannot make labs. */
export function needsNetns(this: Mocha.Context): void {
  if (capability.way === 'direct') return;
  process.stderr.write(`skipped: labs cannot be made in this process: ${capability.sentence}\n`);
  this.skip();
}

/** Opens a lab for one step and closes it, also when the step fails. */
export async function withLab<T>(options: LabOptions, step: (lab: NetnsLab) => Promise<T>): Promise<T> {
  const lab = await openNetnsLab(options);
  try {
    return await step(lab);
  } finally {
    await lab[Symbol.asyncDispose]();
  }
}

/** An established connection, seen from both ends. */
export async function connected(lab: NetnsLab): Promise<{ client: Connection; server: Connection }> {
  const listener = await lab.endpoint('server').listen();
  const client = await lab.endpoint('client').connect(listener.local);
  return { client, server: await listener.accept() };
}

export const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
