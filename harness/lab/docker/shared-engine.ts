/** The Docker engines of this process: each connected once, by whoever needs it first. */
import { Engine, type EngineOptions } from '../../docker/index.js';

const shared = new Map<string, Promise<Engine>>();

/** Rejects with `EngineError`; who asks again tries again. Default: the one that the environment names. */
export function sharedEngine(options: EngineOptions = {}): Promise<Engine> {
  const key = JSON.stringify(options);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const connecting = Engine.connect(options).catch((error: unknown) => {
    shared.delete(key);
    throw error;
  });
  shared.set(key, connecting);
  return connecting;
}

/** Lets all go, with what is still there of what was made in them. */
export async function closeSharedEngine(): Promise<void> {
  const all = [...shared.values()];
  shared.clear();
  await Promise.all(
    all.map(async (each) => {
      const engine = await each.catch(() => undefined);
      await engine?.[Symbol.asyncDispose]();
    }),
  );
}
