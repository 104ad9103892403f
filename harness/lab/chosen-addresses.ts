/** Addresses that the user of a lab chose, instead of a pair from the pool. */
import type { Side } from '../fault/index.js';
import { ipVersion as versionOf } from '../segment/index.js';
import type { LabAddresses } from './lab-addresses.js';

/** Held by labs of this process that are open: observers tell labs apart by address. */
const taken = new Set<string>();

/** Throws one sentence when they are no pair of such addresses, or an open lab has one of them. */
export function chosenAddresses(
  chosen: Readonly<Record<Side, string>>,
  ipVersion: 4 | 6,
): LabAddresses & Disposable {
  const both = [chosen.client, chosen.server];
  for (const ip of both) {
    if (versionOf(ip) !== ipVersion)
      throw new RangeError(`"${ip}" is no IPv${ipVersion} address: a lab needs one for each side`);
    if (taken.has(ip))
      throw new RangeError(`another open lab has the address ${ip}: choose one that is free`);
  }
  if (chosen.client === chosen.server)
    throw new RangeError(`both sides of a lab cannot have the address ${chosen.client}: choose two`);
  for (const ip of both) taken.add(ip);
  return {
    // Each reaches the other over its link, whatever the two have in common.
    prefixBits: ipVersion === 4 ? 32 : 128,
    ip: (side) => chosen[side],
    [Symbol.dispose]: () => {
      for (const ip of both) taken.delete(ip);
    },
  };
}
