/** Starts a wire between two namespaces where it is to run. */
import type { Fault, Side } from '../../fault/index.js';
import type { NetworkNamespace } from '../../sys/index.js';
import type { LabOptions } from '../lab.js';
import { AttachRefused } from './attach-errors.js';
import { HookedWire } from './hooked-wire.js';
import type { PairIntake } from './intake.js';
import type { RemoteWire } from './remote/index.js';
import type { Watching } from './watched-wire.js';
import type { OnReports, WireHost } from './wire-host.js';

interface Hooked {
  readonly kind: 'namespace';
  /** The namespace only forwards to the side's stack, and has none of its sockets. */
  readonly isForwarding?: boolean;
}

export type PairedEnd =
  /** The namespace of a side's stack, for a wire on a thread of this process. Stays the caller's, to be disposed of after the wire. */
  | (Hooked & { readonly namespace: NetworkNamespace })
  /** The same for a wire in a process of its own: where that finds it, such as `/proc/1/ns/net`. */
  | (Hooked & { readonly path: string })
  | { readonly kind: 'peer' }
  /** A stack on another machine, without a hook there: both directions are taken in the other side's namespace. */
  | { readonly kind: 'far' };

/** What the wire takes, and what it does to it. */
export interface PairedPlan {
  readonly addresses: Readonly<Record<Side, string>>;
  readonly intakes: readonly PairIntake[];
  readonly peer: Side | undefined;
  readonly faults: readonly Fault[];
}

interface Start {
  readonly ends: Readonly<Record<Side, PairedEnd>>;
  readonly plan: PairedPlan;
  readonly watching: Watching;
  readonly remote: RemoteWire | undefined;
}

/** Where the wire is to run: `remote`, or on a thread of this process. */
export async function startWire(
  { ends, plan, watching, remote }: Start,
  onReports: OnReports,
): Promise<WireHost> {
  const { intakes, peer, faults } = plan;
  const common = { ...(peer === undefined ? {} : { peer }), faults, ...watching };
  const places = intakes.map((intake) => ({
    intake,
    end: ends[intake.side],
    text: `the ${intake.side} (${intake.addresses[intake.side]})`,
  }));
  if (remote === undefined)
    return new HookedWire(
      {
        places: places.map(({ end, ...place }) => {
          if ('namespace' in end) return { ...place, namespace: end.namespace };
          throw new TypeError(`a wire on a thread takes a NetworkNamespace for ${place.text}`);
        }),
        ...common,
      },
      onReports,
    );
  const remotePlaces = places.map(({ end, ...place }) => {
    if ('path' in end) return { ...place, path: end.path };
    throw new TypeError(`a wire in a process of its own takes the path of a namespace for ${place.text}`);
  });
  await remote.open({ places: remotePlaces, ...common }, onReports);
  return remote;
}

/** What can watch where the wire is on another machine. Throws `AttachRefused`. */
export function eyesElsewhere(eyes: NonNullable<LabOptions['eyes']>): NonNullable<LabOptions['eyes']> {
  if (eyes === 'tracepoint')
    throw new AttachRefused(
      'tracepoints show what this machine does, and the wire is on another: take sock_diag as the eye',
    );
  return eyes === 'auto' ? 'sock_diag' : eyes;
}
