/** The wire between containers: where it runs, and how it comes to their network namespaces. */
import type { RealClock } from '../../clock/index.js';
import {
  type ContainerEnded,
  type Engine,
  EngineError,
  imageName,
  type RunningContainer,
} from '../../docker/index.js';
import { type Fault, SIDES, type Side } from '../../fault/index.js';
import { NetworkNamespace } from '../../sys/index.js';
import {
  AttachRefused,
  openPairedWire,
  type PairedEnd,
  type PairedWire,
  type Through,
} from '../attached/index.js';
import type { LabOptions } from '../lab.js';
import type { Belongings } from './belongings.js';

/** `here`: on a thread of this process, which must be root on the engine's machine; `sidecar`: in a container beside theirs. */
export type WirePlace = (typeof WIRE_PLACES)[number];
export const WIRE_PLACES = ['auto', 'here', 'sidecar'] as const;

/** A container at an end of the wire. */
export interface WiredContainer {
  readonly side: Side;
  readonly container: Pick<RunningContainer, 'id' | 'pid'> &
    Partial<Pick<RunningContainer, 'ended' | 'name'>>;
  /** Its kernel only forwards to the side's stack. */
  readonly isForwarding?: boolean;
}

export interface ContainersWireOptions {
  readonly place: WirePlace;
  readonly engine: Engine;
  /** Without one of the two sides, that is a scripted peer, or `far`. */
  readonly ends: readonly WiredContainer[];
  /** A side in another engine: both directions are taken at the other one. */
  readonly far?: Side;
  readonly addresses: Readonly<Record<Side, string>>;
  readonly ports?: readonly number[];
  /** Whether the containers' own connection tracking sees what is between them (default). */
  readonly isTracked?: boolean;
  readonly faults: readonly Fault[];
  readonly eyes: NonNullable<LabOptions['eyes']>;
  readonly clock: RealClock;
}

interface Reached {
  readonly through: Through;
  readonly ends: Readonly<Record<Side, PairedEnd>>;
}

/** What it opens belongs to `made`. Rejects with `EngineError` or `AttachRefused`. */
export async function openContainersWire(
  { place, engine, ends: containers, far, addresses, ...options }: ContainersWireOptions,
  made: Belongings,
): Promise<PairedWire> {
  if (place === 'here' && !mayEnterNamespaces(engine)) throw new AttachRefused(notHere(engine));
  const isHere = place === 'here' || (place === 'auto' && mayEnterNamespaces(engine));
  const { through, ends } = await (isHere
    ? fromHere(containers, made)
    : fromSidecar(engine, containers, made));
  const all = far === undefined ? ends : { ...ends, [far]: { kind: 'far' } as const };
  return made.use(await openPairedWire({ through, ends: all, addresses, ...options }));
}

/** Root of the machine that the containers are on enters their namespaces itself. */
export const mayEnterNamespaces = ({ isLocal }: Engine): boolean => isLocal && process.geteuid?.() === 0;

const notHere = ({ isLocal, text }: Engine): string =>
  isLocal
    ? 'the wire runs here for root only, who may enter the network namespaces of containers: run lastack as root, or let it run in a sidecar (--wire sidecar)'
    : `the wire cannot run here: ${text} is not of this machine; let it run in a sidecar there (--wire sidecar)`;

async function fromHere(containers: readonly WiredContainer[], made: Belongings): Promise<Reached> {
  const endOf = async (side: Side): Promise<PairedEnd> => {
    const found = containers.find((each) => each.side === side);
    if (found === undefined) return { kind: 'peer' };
    const namespace = await namespaceOf(found);
    made.use({ [Symbol.asyncDispose]: async () => namespace[Symbol.dispose]() });
    return { kind: 'namespace', namespace, isForwarding: found.isForwarding ?? false };
  };
  const ends = { client: await endOf('client'), server: await endOf('server') };
  return { through: { kind: 'thread' }, ends };
}

/** Rejects with `EngineError` when the container has ended meanwhile. */
async function namespaceOf({ side, container }: WiredContainer): Promise<NetworkNamespace> {
  try {
    return NetworkNamespace.ofPid(container.pid);
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isGone) throw error;
    const end = await endSoon(container.ended);
    throw new EngineError('gone', end?.sentence ?? `the container of the ${side} has ended`, {
      cause: error,
    });
  }
}

/** NET_ADMIN and NET_RAW are for the rules and queues, the others to enter the namespace of the second container. */
const CAPABILITIES = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE'] as const;
/** It has one container's network for its own, and sees the processes of the other. */
const PATHS = ['/proc/self/ns/net', '/proc/1/ns/net'] as const;

async function fromSidecar(
  engine: Engine,
  containers: readonly WiredContainer[],
  made: Belongings,
): Promise<Reached> {
  const [first, second] = containers;
  if (first === undefined) throw new TypeError('a wire between two scripted peers has no container');
  const sidecar = made.use(
    await engine.start({
      image: imageName('wire'),
      purpose: 'wire',
      command: ['wire'],
      network: { containerOf: first.container.id },
      ...(second === undefined ? {} : { pidOf: second.container.id }),
      capAdd: second === undefined ? CAPABILITIES.slice(0, 2) : CAPABILITIES,
      stdio: true,
    }),
  );
  const endOf = (side: Side): PairedEnd => {
    const at = containers.findIndex((each) => each.side === side);
    const path = PATHS[at];
    const isForwarding = containers[at]?.isForwarding ?? false;
    return path === undefined ? { kind: 'peer' } : { kind: 'namespace', path, isForwarding };
  };
  return {
    through: { kind: 'process', stdio: sidecar.stdio, ended: endOfSidecar(sidecar, second) },
    ends: { client: endOf('client'), server: endOf('server') },
  };
}

/** With the first process of a pid namespace all others of it are killed: that one's end is the reason of the sidecar's. */
async function endOfSidecar(
  { ended }: RunningContainer,
  second: WiredContainer | undefined,
): Promise<ContainerEnded> {
  const end = await ended;
  return (await endSoon(second?.container.ended)) ?? end;
}

/** The engine tells ends in whichever order, a little later. */
const TOLD_WITHIN_MS = 1000;

async function endSoon(ended: Promise<ContainerEnded> | undefined): Promise<ContainerEnded | undefined> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(resolve, TOLD_WITHIN_MS, undefined).unref();
  });
  return ended === undefined ? undefined : Promise.race([ended, late]);
}

export const sidesWithout = (peer: Side | undefined): readonly Side[] =>
  SIDES.filter((side) => side !== peer);
