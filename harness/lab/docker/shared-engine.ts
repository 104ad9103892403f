/** The Docker engine of this process: connected once, by whoever needs it first. */
import { Engine } from '../../docker/index.js';

let shared: Promise<Engine> | undefined;

/** Rejects with `EngineError`; who asks again tries again. */
export function sharedEngine(): Promise<Engine> {
  shared ??= Engine.connect().catch((error: unknown) => {
    shared = undefined;
    throw error;
  });
  return shared;
}

/** Lets it go, with all that is still there of what was made in it. */
export async function closeSharedEngine(): Promise<void> {
  const engine = await shared?.catch(() => undefined);
  shared = undefined;
  await engine?.[Symbol.asyncDispose]();
}
