/** Where a wire that compose has started finds the network namespaces of others: what its service shares with theirs decides. Pure. */
import { type ComposeService, PIDS_OF_HOST } from '../../../docker/index.js';
import { SIDES, type Side } from '../../../fault/index.js';
import { AttachRefused, type PairedEnd } from '../../attached/index.js';

interface Reached {
  readonly service: string;
  readonly container: { readonly id: string; readonly pid: number };
}

/** Throws `AttachRefused` where it sees too little, and says what its service must have. */
export function endsReached(
  wire: ComposeService,
  ends: Readonly<Record<Side, Reached>>,
): Readonly<Record<Side, PairedEnd>> {
  const unseen = SIDES.find((side) => pathTo(wire, ends[side]) === undefined);
  if (unseen !== undefined)
    throw new AttachRefused(
      `the wire (service "${wire.service}") does not see the network of "${ends[unseen].service}": give it network_mode: "service:${ends.client.service}" and pid: "service:${ends.server.service}"`,
    );
  const endOf = (side: Side): PairedEnd => ({
    kind: 'namespace',
    path: pathTo(wire, ends[side]) ?? '',
  });
  return { client: endOf('client'), server: endOf('server') };
}

function pathTo({ networkOf, pidsOf }: ComposeService, { container }: Reached): string | undefined {
  if (networkOf === container.id) return '/proc/self/ns/net';
  if (pidsOf === container.id) return '/proc/1/ns/net';
  return pidsOf === PIDS_OF_HOST ? `/proc/${container.pid}/ns/net` : undefined;
}
