/**
 * A wire that loses, repeats, delays, reorders and corrupts packets as a seed would have it. Its mishaps have an end, and it loses no
 * more than two packets of a direction in a row: whoever does not give up gets everything across.
 */
import { Random } from '../../harness/segment/index.js';
import { fromMs } from '../tcp/index.js';
import { packetTooBig } from './icmp-error.js';
import type { Arrival, Fate, HostName, Passing } from './two-hosts.js';

export interface BadWirePlan {
  readonly seed: number;
  /** Of a thousand packets so many are lost, come twice, come late, or with an octet changed. */
  readonly loses: number;
  readonly repeats: number;
  readonly delays: number;
  readonly corrupts: number;
  readonly latencyMs: number;
  /** What comes late comes so much later at most. */
  readonly delayMs: number;
  /** Behind this many packets the wire is a good one. */
  readonly packets: number;
  /** From the n-th packet on the path takes packets of so many octets only. */
  readonly narrows?: { readonly at: number; readonly mtu: number; readonly isSilent: boolean };
}

const MOST_IN_A_ROW = 2;
const PER_MILLE = 1000;

export class BadWire {
  readonly #plan: BadWirePlan;
  readonly #random: Random;
  readonly #inARow: Record<HostName, number> = { client: 0, server: 0 };

  constructor(plan: BadWirePlan) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  fate({ from, index, packet }: Passing): Fate {
    const { latencyMs, delayMs, packets, loses, repeats, delays, corrupts, narrows } = this.#plan;
    const latencyNs = fromMs(latencyMs);
    if (narrows !== undefined && index >= narrows.at && packet.length > narrows.mtu) {
      const told = packetTooBig(packet, narrows.mtu);
      if (told !== undefined)
        return narrows.isSilent ? [] : [{ afterNs: latencyNs, packet: told, isReturned: true }];
    }
    if (index >= packets) return [latencyNs];
    const isLost = this.#happens(loses);
    const isCorrupt = this.#happens(corrupts);
    if ((isLost || isCorrupt) && this.#inARow[from] < MOST_IN_A_ROW) {
      this.#inARow[from] += 1;
      return isLost ? [] : [this.#corrupted(packet, latencyNs)];
    }
    this.#inARow[from] = 0;
    const copies = this.#happens(repeats) ? 2 : 1;
    return Array.from({ length: copies }, () =>
      this.#happens(delays) ? latencyNs + fromMs(this.#random.below(delayMs * 1000) / 1000) : latencyNs,
    );
  }

  #happens(perMille: number): boolean {
    return this.#random.below(PER_MILLE) < perMille;
  }

  /** One bit is another: the checksums must notice. */
  #corrupted(packet: Uint8Array, afterNs: number): Arrival {
    const changed = packet.slice();
    const at = this.#random.below(packet.length);
    changed[at] = (changed[at] ?? 0) ^ (1 << this.#random.below(8));
    return { afterNs, packet: changed };
  }
}
