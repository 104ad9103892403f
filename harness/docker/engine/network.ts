/** Networks of containers that this process makes: bridges, each with a subnet of its own. */
import { networkInterfaces } from 'node:os';
import type Dockerode from 'dockerode';
import { limited } from './call-limit.js';
import { EngineError } from './engine-error.js';
import { freeSubnetV4, randomSubnetV6 } from './subnet.js';

export interface EngineNetwork extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
}

export interface NetworkOptions {
  readonly ipVersion: 4 | 6 | 'both';
  readonly mtu?: number;
  readonly internal?: boolean;
  readonly purpose: string;
}

/** Others may take a subnet between our look and our asking. */
const TRIES = 8;
const OVERLAPS = /overlaps|could not find an available|conflicts with network/i;

export interface NetworkMaker {
  readonly docker: Dockerode;
  readonly text: string;
  /** Whether this machine's own addresses are in the engine's way. */
  readonly isLocal: boolean;
}

interface Registered {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  onRemoved(): void;
}

export async function makeNetwork(
  { docker, text, isLocal }: NetworkMaker,
  { ipVersion, mtu, internal = false }: NetworkOptions,
  { name, labels, onRemoved }: Registered,
): Promise<EngineNetwork> {
  const what = `make the network ${name}`;
  const taken = [...(await takenSubnets(docker, text)), ...(isLocal ? ownSubnets() : [])];
  for (let i = 0; ; i += 1) {
    const v4 = freeSubnetV4(taken);
    // The engine gives every bridge IPv4, asked for or not.
    const subnets = ipVersion === 4 ? [v4] : [v4, randomSubnetV6()];
    try {
      const network = await limited({ engine: text, what }, (abortSignal) =>
        docker.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Internal: internal,
          EnableIPv6: ipVersion !== 4,
          IPAM: { Driver: 'default', Config: subnets.map((Subnet) => ({ Subnet })) },
          Options: mtu === undefined ? {} : { 'com.docker.network.driver.mtu': String(mtu) },
          Labels: { ...labels },
          abortSignal,
        }),
      );
      return madeNetwork({ docker, text }, { id: network.id, name, subnets, onRemoved });
    } catch (error) {
      const isOverlap = error instanceof EngineError && OVERLAPS.test(error.message);
      if (!isOverlap || i + 1 >= TRIES) throw error;
      taken.push(v4);
    }
  }
}

function madeNetwork(
  { docker, text }: Pick<NetworkMaker, 'docker' | 'text'>,
  {
    id,
    name,
    subnets,
    onRemoved,
  }: Omit<EngineNetwork, keyof AsyncDisposable> & Pick<Registered, 'onRemoved'>,
): EngineNetwork {
  const remove = async (): Promise<void> => {
    if (!(await removeNetwork(docker, text, id)))
      throw new EngineError(
        'failed',
        `${text} could not remove the network ${name}: a container is still in it; remove that first`,
      );
    onRemoved();
  };
  return { id, name, subnets, [Symbol.asyncDispose]: remove };
}

async function takenSubnets(docker: Dockerode, engine: string): Promise<readonly string[]> {
  const networks = await limited({ engine, what: 'list its networks' }, (abortSignal) =>
    docker.listNetworks({ abortSignal } as Dockerode.NetworkListOptions),
  );
  return networks.flatMap(({ IPAM }) => (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []));
}

const ownSubnets = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.flatMap(({ cidr }) => cidr ?? []));

/** A container that has just ended takes a moment to leave. */
const LEFT_WITHIN_MS = 3000;
const LOOKS_EVERY_MS = 50;

/** Removes it; whether it is gone. One that others' containers are in stays. */
export async function removeNetwork(docker: Dockerode, engine: string, id: string): Promise<boolean> {
  const deadlineMs = performance.now() + LEFT_WITHIN_MS;
  for (;;) {
    try {
      await limited({ engine, what: `remove the network ${id}` }, (abortSignal) =>
        docker.getNetwork(id).remove({ abortSignal }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (isNotThere(error)) return true;
      if (!/active endpoints/.test(error.message)) throw error;
      if (performance.now() > deadlineMs) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
    }
  }
}

const isNotThere = ({ cause }: EngineError): boolean =>
  typeof cause === 'object' && cause !== null && 'statusCode' in cause && cause.statusCode === 404;
