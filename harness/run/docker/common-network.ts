/** The network that two containers meet in. Pure. */
import type { FoundContainer } from '../../docker/index.js';
import { SIDES, type Side } from '../../fault/index.js';
import { AttachRefused, containerText } from '../../lab/index.js';

type Placed = Pick<FoundContainer, 'name' | 'image' | 'pid' | 'networks'>;

export interface NetworkChoice {
  readonly network?: string;
  readonly ipVersion?: 4 | 6;
}

/** Throws `AttachRefused` where it is not clear which, or where there is none. */
export function addressesBetween(
  places: Readonly<Record<Side, Placed>>,
  { network, ipVersion = 4 }: NetworkChoice,
): Readonly<Record<Side, string>> {
  const both = SIDES.map((side) => containerText(places[side])).join(' and ');
  const common = places.client.networks
    .map(({ name }) => name)
    .filter((name) => places.server.networks.some((each) => each.name === name));
  const chosen = network === undefined ? common : common.filter((name) => name === network);
  const [name, ...others] = chosen;
  if (name === undefined) {
    const where = network === undefined ? 'no network' : `no network "${network}"`;
    throw new AttachRefused(`${both} share ${where}: put both into one (docker.network() makes one)`);
  }
  if (others.length > 0)
    throw new AttachRefused(
      `${both} share the networks ${chosen.join(', ')}: say which one is meant ("network")`,
    );
  const addressOf = (side: Side): string => {
    const found = places[side].networks.find((each) => each.name === name);
    const address = ipVersion === 4 ? found?.ip : found?.ipv6;
    if (address === undefined)
      throw new AttachRefused(
        `${containerText(places[side])} has no IPv${ipVersion} address on the network ${name}: take one that has (ipVersion ${ipVersion})`,
      );
    return address;
  };
  return { client: addressOf('client'), server: addressOf('server') };
}
