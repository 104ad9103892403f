/** Which service of a compose project plays which part: by its label `lastack.role`, or by its name. Pure. */
import type { ComposeService } from '../../../docker/index.js';
import { NoSuchTarget } from '../../attached/index.js';

export type ComposeRole = 'client' | 'server' | 'wire' | 'toxiproxy';

export const ROLE_LABEL = 'lastack.role';

export interface ComposeRoles {
  readonly client: ComposeService;
  readonly server: ComposeService;
  /** Without one, the wire gets a container of ours. */
  readonly wire: ComposeService | undefined;
  readonly toxiproxy: ComposeService | undefined;
}

/** Throws `NoSuchTarget`, in one sentence. */
export function rolesOf(project: string, services: readonly ComposeService[]): ComposeRoles {
  if (services.length === 0)
    throw new NoSuchTarget(
      `there is nothing of the compose project "${project}": start it ("docker-compose up"), or name another (--project)`,
    );
  const played = (role: ComposeRole): ComposeService | undefined => playing(role, { project, services });
  const needed = (role: ComposeRole): ComposeService => {
    const found = played(role);
    if (found !== undefined) return found;
    throw new NoSuchTarget(
      `the project "${project}" has no ${role}: call a service "${role}", or give one the label "${ROLE_LABEL}: ${role}" (there are ${namesOf(services)})`,
    );
  };
  return {
    client: needed('client'),
    server: needed('server'),
    wire: played('wire'),
    toxiproxy: played('toxiproxy'),
  };
}

interface Project {
  readonly project: string;
  readonly services: readonly ComposeService[];
}

/** A label counts before a name, so that a service may be called "server" and play nothing. */
function playing(role: ComposeRole, { project, services }: Project): ComposeService | undefined {
  const labelled = services.filter(({ container }) => container.labels[ROLE_LABEL] === role);
  const named = services.filter(
    ({ service, container }) => service === role && container.labels[ROLE_LABEL] === undefined,
  );
  const [one, another] = labelled.length > 0 ? labelled : named;
  if (one === undefined) return undefined;
  if (another !== undefined)
    throw new NoSuchTarget(
      `the project "${project}" has two containers for the ${role}, ${one.container.name} and ${another.container.name}: leave one`,
    );
  if (!one.isRunning)
    throw new NoSuchTarget(
      `the ${role} of the project "${project}" does not run: "docker-compose logs ${one.service}" says why`,
    );
  return one;
}

const namesOf = (services: readonly ComposeService[]): string =>
  [...new Set(services.map(({ service }) => service))].toSorted().join(', ');
