/** A container that runs, and its network namespace: found by whatever a test has of it. */
import { type Engine, EngineError, type FoundContainer } from '../../docker/index.js';
import { AttachRefused, type Target, targetOfPid } from '../../lab/index.js';

/** A name, an id, a compose service, or what knows its id: a container of ours, or of testcontainers. */
export type ContainerRef =
  | string
  | { readonly id: string; readonly port?: number | undefined }
  | { getId(): string };

export interface ContainerPlace extends Target {
  readonly container: FoundContainer;
}

/** Rejects with `EngineError` or `AttachRefused`. */
export async function findPlace(engine: Engine, ref: ContainerRef): Promise<ContainerPlace> {
  const container = await engine.find(idOf(ref));
  const text = `container ${container.name} (${container.image})`;
  if (!engine.isLocal)
    throw new AttachRefused(
      `the network of ${text} cannot be entered from here, for ${engine.text} is not on this machine, or its processes cannot be seen: run this beside the engine, as root`,
    );
  const target = targetOfPid(container.pid);
  return { ...target, text, container, [Symbol.dispose]: () => target[Symbol.dispose]() };
}

function idOf(ref: ContainerRef): string {
  if (typeof ref === 'string') return ref;
  return 'getId' in ref ? ref.getId() : ref.id;
}

/** The port that is meant where none was named. */
export function portOf(ref: ContainerRef, { container, text }: ContainerPlace): number {
  if (typeof ref === 'object' && 'port' in ref && ref.port !== undefined) return ref.port;
  const [port, ...others] = container.exposedPorts;
  if (port !== undefined && others.length === 0) return port;
  const which = port === undefined ? 'no port' : `the ports ${container.exposedPorts.join(', ')}`;
  throw new EngineError('refused', `${text} exposes ${which}: say which one is meant ("port")`);
}
