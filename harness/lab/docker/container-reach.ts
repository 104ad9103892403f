/** A container that somebody else made, as what can be attached to wherever its engine is: from here, or by a sidecar in its network. */
import { type Engine, type FoundContainer, imageName } from '../../docker/index.js';
import type { Target } from '../attached/index.js';
import { containerText, targetOfContainer } from './container-target.js';
import { mayEnterNamespaces, type WirePlace } from './wire-place.js';

const LOOKS_EVERY_MS = 300;
const LOOPBACK = ['127.0.0.1', '::1'] as const;
const SIDECAR_NAMESPACE = '/proc/self/ns/net';

/** What is freed with the attachment, and after it. */
export type FreedTarget = Target & AsyncDisposable;

/** Rejects with `EngineError`, `NoSuchTarget` or `AttachRefused`, in one sentence. */
export async function reachContainer(
  engine: Engine,
  container: FoundContainer,
  place: WirePlace = 'auto',
): Promise<FreedTarget> {
  if (place === 'sidecar' || (place === 'auto' && !mayEnterNamespaces(engine)))
    return bySidecar(engine, container);
  const target = targetOfContainer(engine, container);
  return { ...target, [Symbol.asyncDispose]: async () => target[Symbol.dispose]() };
}

/** It shares the container's network, and nothing else. */
async function bySidecar(engine: Engine, container: FoundContainer): Promise<FreedTarget> {
  const sidecar = await engine.start({
    image: imageName('wire'),
    purpose: `wire of ${container.name}`,
    command: ['wire'],
    network: { containerOf: container.id },
    capAdd: ['NET_ADMIN', 'NET_RAW'],
    stdio: true,
  });
  let isAlive = true;
  const look = setInterval(() => {
    container.isRunning().then(
      (isRunning) => {
        isAlive &&= isRunning;
      },
      // An engine that does not answer says nothing of the container.
      () => {},
    );
  }, LOOKS_EVERY_MS);
  const localIps = container.networks.flatMap(({ ip, ipv6 }) => [ip, ipv6]);
  return {
    text: containerText(container),
    reach: {
      kind: 'process',
      process: { stdio: sidecar.stdio, ended: sidecar.ended },
      path: SIDECAR_NAMESPACE,
      localIps: [...LOOPBACK, ...localIps.filter((ip) => ip !== undefined)],
    },
    isAlive: () => isAlive,
    [Symbol.asyncDispose]: async () => {
      clearInterval(look);
      await sidecar[Symbol.asyncDispose]();
    },
  };
}
