/** Takes away what lastacks that have ended left in an engine. */
import type Dockerode from 'dockerode';
import { limited } from './call-limit.js';
import { removeContainer } from './container.js';
import { removeNetwork } from './network.js';
import { hasEnded, LABEL, type Owner, parseOwner } from './owner-label.js';

export interface EngineSwept {
  /** Of all lastacks, living ones and those of other machines included. */
  readonly containersBefore: number;
  readonly containersAfter: number;
  readonly networksBefore: number;
  readonly networksAfter: number;
}

interface Left {
  readonly id: string;
  readonly owner: string;
}

export async function sweepEngine(docker: Dockerode, engine: string, here: Owner): Promise<EngineSwept> {
  const isEnded = ({ owner }: Left): boolean => {
    const parsed = parseOwner(owner);
    return parsed !== undefined && hasEnded(parsed, here);
  };
  const containers = await ourContainers(docker, engine);
  const networks = await ourNetworks(docker, engine);
  for (const { id } of containers.filter(isEnded))
    await removeContainer(docker, id, { engine, what: `remove container ${id.slice(0, 12)}` });
  for (const { id } of networks.filter(isEnded)) await removeNetwork(docker, engine, id);
  return {
    containersBefore: containers.length,
    containersAfter: (await ourContainers(docker, engine)).length,
    networksBefore: networks.length,
    networksAfter: (await ourNetworks(docker, engine)).length,
  };
}

const FILTERS = { label: [LABEL.owner] };

async function ourContainers(docker: Dockerode, engine: string): Promise<readonly Left[]> {
  const all = await limited({ engine, what: 'list its containers' }, (abortSignal) =>
    docker.listContainers({ all: true, filters: FILTERS, abortSignal }),
  );
  return all.map(({ Id: id, Labels }) => ({ id, owner: Labels[LABEL.owner] ?? '' }));
}

async function ourNetworks(docker: Dockerode, engine: string): Promise<readonly Left[]> {
  const all = await limited({ engine, what: 'list its networks' }, (abortSignal) =>
    docker.listNetworks({ filters: FILTERS, abortSignal } as Dockerode.NetworkListOptions),
  );
  return all.map(({ Id: id, Labels }) => ({ id, owner: Labels?.[LABEL.owner] ?? '' }));
}
