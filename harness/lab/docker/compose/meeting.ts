/** The network that two services meet in. Pure. */
import type { ComposeService, FoundContainer } from '../../../docker/index.js';
import { NoSuchTarget } from '../../attached/index.js';

type Networked = Pick<ComposeService, 'service'> & { readonly container: Pick<FoundContainer, 'networks'> };

/** The addresses of both in the first that they share. Throws `NoSuchTarget`. */
export function meeting(
  one: Networked,
  other: Networked,
  ipVersion: 4 | 6,
): readonly [ofOne: string, ofOther: string] {
  for (const mine of one.container.networks) {
    const theirs = other.container.networks.find(({ name }) => name === mine.name);
    const [a, b] = ipVersion === 4 ? [mine.ip, theirs?.ip] : [mine.ipv6, theirs?.ipv6];
    if (a !== undefined && b !== undefined) return [a, b];
  }
  throw new NoSuchTarget(
    `the services "${one.service}" and "${other.service}" share no network with IPv${ipVersion}: name one under "networks" of both`,
  );
}
