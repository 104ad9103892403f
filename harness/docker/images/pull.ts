/** Tries to get an image from its registry. Where none answers, that is known soon, and remembered while the process lives. */
import type Dockerode from 'dockerode';
import type { OnStep } from '../../uml/index.js';
import { engineWords, happenings } from './engine-stream.js';
import { idOf } from './image-build.js';

export interface PullOptions {
  readonly onStep: OnStep;
  readonly signal: AbortSignal;
  /** How long nothing may come; default 10 s. */
  readonly patienceMs?: number;
}

/** By engine and registry: why it gave nothing. */
const silent = new Map<string, string>();

/** Undefined when the image is there now, or was before; else why it cannot be had. */
export async function pull(
  docker: Dockerode,
  name: string,
  { onStep, signal, patienceMs = 10_000 }: PullOptions,
): Promise<string | undefined> {
  if ((await idOf(docker, name)) !== undefined) return undefined;
  const registry = registryOf(name);
  const key = `${(await docker.info()).ID} ${registry}`;
  const known = silent.get(key);
  if (known !== undefined) return known;
  onStep({ doing: `asking ${registry} for ${name}` });
  const patience = new AbortController();
  const stop = (): void => patience.abort();
  let timer = setTimeout(stop, patienceMs);
  try {
    const abortSignal = AbortSignal.any([signal, patience.signal]);
    const stream: NodeJS.ReadableStream = await docker.pull(name, { abortSignal });
    for await (const { progressDetail = {} } of happenings(stream)) {
      clearTimeout(timer);
      timer = setTimeout(stop, patienceMs);
      const { current, total } = progressDetail;
      if (current !== undefined && total !== undefined && total > 0)
        onStep({ doing: `pulling ${name}`, percent: Math.min(100, (100 * current) / total) });
    }
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const reason = patience.signal.aborted
      ? `${registry} said nothing for ${patienceMs / 1000} s`
      : `${registry}: ${engineWords(error)}`;
    silent.set(key, reason);
    return reason;
  } finally {
    clearTimeout(timer);
  }
}

/** The part before the first slash, where that is a host. */
export function registryOf(name: string): string {
  const [host = '', ...path] = name.split('/');
  return path.length > 0 && /[.:]|^localhost$/.test(host) ? host : 'docker.io';
}
