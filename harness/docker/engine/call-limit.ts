/** A limit on each call to the engine: one that hangs is given up, and said to hang. */
import { type Doing, EngineError, explained } from './engine-error.js';

export interface LimitedDoing extends Doing {
  readonly withinMs?: number;
}

/** Making or starting a container takes well below a second; a busy disk may take its time. */
export const CALL_WITHIN_MS = 60_000;

/** Whatever goes wrong is explained. */
export async function limited<T>(
  { withinMs = CALL_WITHIN_MS, ...doing }: LimitedDoing,
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const aborting = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new EngineError(
          'away',
          `${doing.engine} did not ${doing.what} within ${withinMs / 1000} s: see whether it is overloaded or stuck`,
        ),
      );
      aborting.abort();
    }, withinMs);
  });
  try {
    return await Promise.race([call(aborting.signal), late]);
  } catch (error) {
    throw explained(error, doing);
  } finally {
    clearTimeout(timer);
  }
}
