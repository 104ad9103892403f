/** What tells the labs of one thread apart inside the guests that they share: addresses and MACs. The lowest free number comes first. */
import type { Side } from '../../fault/index.js';
import { chosenAddresses } from '../chosen-addresses.js';
import type { LabOptions } from '../lab.js';
import { type LabAddresses, labAddresses, MAX_LABS } from '../lab-addresses.js';

export interface Slot extends LabAddresses, Disposable {
  mac(side: Side): Uint8Array;
  /** Something of it is left in a guest: nobody gets it again. */
  spoil(): void;
}

const taken = new Set<number>();

export function takeSlot({ addresses, ipVersion }: Pick<LabOptions, 'addresses' | 'ipVersion'>): Slot {
  const number = lowestFree();
  const chosen = addresses === undefined ? undefined : chosenAddresses(addresses, ipVersion);
  taken.add(number);
  let isSpoilt = false;
  return {
    ...(chosen ?? labAddresses(number, ipVersion)),
    // Locally administered (IEEE 802): the first octet says so.
    mac: (side) => Uint8Array.of(2, 0, 0, (number + 1) >> 8, (number + 1) & 0xff, side === 'client' ? 1 : 2),
    spoil: () => {
      isSpoilt = true;
    },
    [Symbol.dispose]: () => {
      if (!isSpoilt) taken.delete(number);
      chosen?.[Symbol.dispose]();
    },
  };
}

function lowestFree(): number {
  for (let number = 0; number < MAX_LABS; number += 1) if (!taken.has(number)) return number;
  throw new Error(`${MAX_LABS} labs are open in this thread: close some, or run fewer jobs at once`);
}
