/** Takes away what lastacks that have ended left in an engine. */
import type Dockerode from 'dockerode';
import { limited } from './call-limit.js';
import { removeContainer } from './container.js';
import { removeNetwork } from './network.js';
import { hasEnded, LABEL, type Owner, parseOwner } from './owner-label.js';

export interface EngineSwept {
  /** Of all lastacks, living ones and those of other machines included. */
  readonly containersBefore: number;
  /** Of those, what is left: nothing that was made meanwhile. */
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
  // What cannot be removed is counted below, and keeps nothing else.
  await Promise.allSettled(
    containers
      .filter(isEnded)
      .map(({ id }) => removeContainer(docker, id, { engine, what: `remove container ${id.slice(0, 12)}` })),
  );
  await Promise.allSettled(networks.filter(isEnded).map(({ id }) => removeNetwork(docker, engine, id)));
  return {
    containersBefore: containers.length,
    containersAfter: stillThere(containers, await ourContainers(docker, engine)),
    networksBefore: networks.length,
    networksAfter: stillThere(networks, await ourNetworks(docker, engine)),
  };
}

const stillThere = (before: readonly Left[], after: readonly Left[]): number =>
  before.filter(({ id }) => after.some((each) => each.id === id)).length;

/** What the engine is still making for a process that has ended comes a little later. */
const LOOKS_AGAIN_AFTER_MS = 500;
const GIVES_UP_AFTER_MS = 60_000;

/** Removes what a process has made that has ended; resolves when nothing of it is left, and nothing more comes. */
export async function removeRun(docker: Dockerode, engine: string, runId: string): Promise<void> {
  const label = `${LABEL.run}=${runId}`;
  const deadlineMs = performance.now() + GIVES_UP_AFTER_MS;
  for (let isQuiet = false; performance.now() < deadlineMs; ) {
    const containers = await ourContainers(docker, engine, label);
    const networks = await ourNetworks(docker, engine, label);
    const isNothing = containers.length + networks.length === 0;
    if (isNothing && isQuiet) return;
    isQuiet = isNothing;
    // One that cannot be removed now is tried again with the rest.
    await Promise.allSettled(
      containers.map(({ id }) =>
        removeContainer(docker, id, { engine, what: `remove container ${id.slice(0, 12)}` }),
      ),
    );
    await Promise.allSettled(networks.map(({ id }) => removeNetwork(docker, engine, id)));
    if (isNothing) await new Promise((resolve) => setTimeout(resolve, LOOKS_AGAIN_AFTER_MS));
  }
}

async function ourContainers(
  docker: Dockerode,
  engine: string,
  label: string = LABEL.owner,
): Promise<readonly Left[]> {
  const all = await limited({ engine, what: 'list its containers' }, (abortSignal) =>
    docker.listContainers({ all: true, filters: { label: [label] }, abortSignal }),
  );
  return all.map(({ Id: id, Labels }) => ({ id, owner: Labels[LABEL.owner] ?? '' }));
}

async function ourNetworks(
  docker: Dockerode,
  engine: string,
  label: string = LABEL.owner,
): Promise<readonly Left[]> {
  const all = await limited({ engine, what: 'list its networks' }, (abortSignal) =>
    docker.listNetworks({ filters: { label: [label] }, abortSignal } as Dockerode.NetworkListOptions),
  );
  return all.map(({ Id: id, Labels }) => ({ id, owner: Labels?.[LABEL.owner] ?? '' }));
}
