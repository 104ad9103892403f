/** For this folder's tests: what they need of the machine, and what they do again and again. */
import type { Connection } from '../../endpoint/index.js';
import { installedKernels, isUpToDate, type Kernel } from '../../uml/index.js';
import type { Lab, LabOptions } from '../lab.js';
import { virtualLabs } from './virtual-lab.js';

/** The newest kernel that was built here; undefined: none was. */
const newest: Kernel | undefined = installedKernels().findLast(isUpToDate);

/** A `before` hook: skips the suite, and says why, where no kernel was built. */
export function needsKernel(this: Mocha.Context): void {
  if (newest !== undefined) return;
  process.stderr.write('skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n');
  this.skip();
}

export function kernelVersion(): string {
  if (newest === undefined) throw new Error('no kernel was built: use needsKernel');
  return newest.release;
}

export function openLab(options: LabOptions): Promise<Lab> {
  const version = kernelVersion();
  return virtualLabs({ client: version, server: version })(options);
}

/** Opens a lab for one step and closes it, also when the step fails. */
export async function withLab<T>(options: LabOptions, step: (lab: Lab) => Promise<T>): Promise<T> {
  await using lab = await openLab(options);
  return await step(lab);
}

/** An established connection, seen from both ends. */
export async function connected(lab: Lab): Promise<{ client: Connection; server: Connection }> {
  const listener = await lab.endpoint('server').listen({ port: 7000 });
  const client = await lab.endpoint('client').connect(listener.local);
  return { client, server: await listener.accept() };
}

export const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
