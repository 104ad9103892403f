/** The wire between containers: where it runs, and how it comes to their network namespaces. */
import type { RealClock } from '../../clock/index.js';
import type { Engine } from '../../docker/index.js';
import { type Fault, SIDES, type Side } from '../../fault/index.js';
import { NetworkNamespace } from '../../sys/index.js';
import { openPairedWire, type PairedEnd, type PairedWire } from '../attached/index.js';
import type { LabOptions } from '../lab.js';
import type { Belongings } from './belongings.js';
import type { ContainerStack } from './container-stack.js';

/** `here`: on a thread of this process, which must be root on the engine's machine; `sidecar`: in a container of its own. */
export type WirePlace = 'here' | 'sidecar' | 'auto';

export interface ContainersWireOptions {
  readonly place: WirePlace;
  readonly engine: Engine;
  readonly stacks: readonly ContainerStack[];
  readonly addresses: Readonly<Record<Side, string>>;
  readonly faults: readonly Fault[];
  readonly eyes: NonNullable<LabOptions['eyes']>;
  readonly clock: RealClock;
}

/** What it opens belongs to `made`. */
export async function openContainersWire(
  { stacks, addresses, faults, eyes, clock }: ContainersWireOptions,
  made: Belongings,
): Promise<PairedWire> {
  const ends = SIDES.map((side): PairedEnd => {
    const stack = stacks.find((each) => each.side === side);
    if (stack === undefined) return { kind: 'peer' };
    const namespace = NetworkNamespace.ofPid(stack.container.pid);
    made.use({ [Symbol.asyncDispose]: async () => namespace[Symbol.dispose]() });
    return { kind: 'namespace', namespace };
  });
  const [client, server] = ends as [PairedEnd, PairedEnd];
  return made.use(await openPairedWire({ ends: { client, server }, addresses, faults, eyes, clock }));
}
