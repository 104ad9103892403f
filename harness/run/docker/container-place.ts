/** A container that runs, found by whatever a test has of it. */
import { type Engine, EngineError, type FoundContainer } from '../../docker/index.js';
import { containerText } from '../../lab/index.js';

/** A name, an id, a compose service, or what knows its id: a container of ours, or of testcontainers. */
export type ContainerRef =
  | string
  | { readonly id: string; readonly port?: number | undefined }
  | { getId(): string };

/** Rejects with `EngineError`. */
export const findContainer = (engine: Engine, ref: ContainerRef): Promise<FoundContainer> =>
  engine.find(idOf(ref));

function idOf(ref: ContainerRef): string {
  if (typeof ref === 'string') return ref;
  return 'getId' in ref ? ref.getId() : ref.id;
}

/** The port that is meant where none was named. */
export function portOf(ref: ContainerRef, container: FoundContainer): number {
  if (typeof ref === 'object' && 'port' in ref && ref.port !== undefined) return ref.port;
  const [port, ...others] = container.exposedPorts;
  if (port !== undefined && others.length === 0) return port;
  const which = port === undefined ? 'no port' : `the ports ${container.exposedPorts.join(', ')}`;
  throw new EngineError(
    'refused',
    `${containerText(container)} exposes ${which}: say which one is meant ("port")`,
  );
}
