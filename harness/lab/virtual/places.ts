/** The places of one lab in its guests: all of them, or none. */
import { otherSide, type Side } from '../../fault/index.js';
import type { LabOptions } from '../lab.js';
import type { GuestHost, WireCard } from './guest-host.js';
import { GuestPlace } from './guest-place.js';
import type { Slot } from './slots.js';

export interface Furnished {
  readonly side: Side;
  readonly host: GuestHost;
  readonly place: GuestPlace;
}

export interface FurnishOptions extends Pick<LabOptions, 'ipVersion' | 'settings'> {
  readonly hosts: readonly GuestHost[];
  /** In the order of the hosts. */
  readonly sides: readonly Side[];
  readonly slot: Slot;
  readonly card: WireCard;
  readonly mtu: number;
}

/** What was made before one failed goes. */
export async function furnishAll({
  hosts,
  sides,
  ...options
}: FurnishOptions): Promise<readonly Furnished[]> {
  const made: Furnished[] = [];
  const settled = await Promise.allSettled(
    hosts.map(async (host, i) => {
      const side = sides[i] ?? 'client';
      const place = await GuestPlace.make(placeOptions(host, side, options));
      made.push({ side, host, place });
      await place.furnish();
    }),
  );
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return made.sort((a, b) => sides.indexOf(a.side) - sides.indexOf(b.side));
  await freeAll(made, options.slot).catch(() => {});
  throw failed.reason;
}

const placeOptions = (
  host: GuestHost,
  side: Side,
  { slot, card, mtu, ipVersion, settings }: Omit<FurnishOptions, 'hosts' | 'sides'>,
) => ({
  host,
  side,
  card,
  mac: slot.mac(side),
  ip: slot.ip(side),
  remoteIp: slot.ip(otherSide(side)),
  prefixBits: slot.prefixBits,
  ipVersion,
  mtu,
  settings: settings?.[side] ?? {},
});

/** Lets each place go whose guest lives. Rejects where one does not go, and keeps its slot from others: they would meet it. */
export async function freeAll(places: readonly Furnished[], slot: Slot): Promise<void> {
  let failure: unknown;
  for (const { host, place } of places) {
    try {
      if (host.failure === undefined) await place.free();
    } catch (error) {
      // Where the guest has died meanwhile, its places have gone with it.
      if (host.failure !== undefined) continue;
      slot.spoil();
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}
