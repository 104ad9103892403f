/** What the ways through Toxiproxy between containers have in common, whoever has started these. */
import type { RealClock } from '../../clock/index.js';
import { type Engine, imageName } from '../../docker/index.js';
import type { Address } from '../../endpoint/index.js';
import type { ToxiproxyClient, ToxiproxyProxy } from '../../toxiproxy/index.js';
import type { ViaLab, ViaOptions } from '../via/via-lab.js';
import type { Belongings } from './belongings.js';
import { ContainerStack } from './container-stack.js';

/** A container in the network of Toxiproxy's, for the states of its sockets: its image has no agent. */
export const startEye = (engine: Engine, containerOf: string, ipVersion: 4 | 6): Promise<ContainerStack> =>
  ContainerStack.start({
    engine,
    network: { containerOf },
    side: 'server',
    ipVersion,
    spec: { image: imageName('endpoint'), purpose: 'eye of toxiproxy' },
  });

export interface ViaParts {
  readonly ipVersion: 4 | 6;
  readonly clock: RealClock;
  readonly legs: ViaLab['legs'];
  readonly toxiproxy: ToxiproxyClient;
  readonly proxy: ToxiproxyProxy;
  readonly proxyAddress: Address;
  readonly serverAddress: Address;
}

/** Puts the toxics in. What is in `made` is the lab's to free from then on. */
export async function viaLabOf(
  parts: ViaParts,
  toxics: NonNullable<ViaOptions['toxics']>,
  made: Belongings,
): Promise<ViaLab> {
  for (const toxic of toxics) await parts.proxy.add(toxic);
  const proxyStack = `toxiproxy@${await parts.toxiproxy.version()}`;
  const all = made.move();
  return { ...parts, name: 'docker', proxyStack, [Symbol.asyncDispose]: () => all[Symbol.asyncDispose]() };
}
