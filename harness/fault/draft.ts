/** One segment on its way through the plan: what the actions on it add up to. */

import { NANOS_PER_MS } from '../clock/index.js';
import { encode, type Segment } from '../segment/index.js';
import { messageOf } from '../text/index.js';
import type { Action } from './action.js';
import type { Effect } from './effect.js';
import { type Arrival, type FlowFacts, otherSide } from './flow.js';
import { rewritten, withWrongChecksum } from './forge.js';

type Shaping = Extract<
  Action,
  { readonly kind: 'delay' | 'duplicate' | 'rewrite' | 'corrupt-checksum' | 'truncate' }
>;

/** The words for the mark on the segment, or why nothing could be done. */
export type Outcome = { readonly did: string } | { readonly failed: string };

export class Draft {
  #segment: Segment;
  #isChanged = false;
  #isCorrupt = false;
  #delayNs = 0;
  /** Further deliveries, as delays behind the first. */
  readonly #extraNs: number[] = [];

  constructor(
    readonly arrival: Arrival,
    readonly facts: FlowFacts,
  ) {
    this.#segment = arrival.segment;
  }

  apply(action: Shaping): Outcome {
    switch (action.kind) {
      case 'delay':
        this.#delayNs += action.byMs * NANOS_PER_MS;
        return { did: `delayed by ${action.byMs} ms` };
      case 'duplicate':
        return this.#duplicate(action.copies ?? 1, action.afterMs ?? 0);
      case 'rewrite':
        return this.#change(
          () => rewritten(this.#segment, action.set, this),
          `rewritten (${Object.keys(action.set).join(', ')})`,
        );
      case 'corrupt-checksum':
        this.#isCorrupt = true;
        return { did: 'checksum corrupted' };
      case 'truncate':
        return this.#truncate(action.toOctets);
    }
  }

  /** What the wire is to deliver. */
  effects(fault: string | undefined): Effect[] {
    const { arrival } = this;
    const packet = this.#packet();
    const to = otherSide(arrival.from);
    const by = fault === undefined ? {} : { fault };
    return [0, ...this.#extraNs].map((extraNs) => ({
      kind: 'deliver',
      arrival: arrival.id,
      to,
      packet,
      delayNs: this.#delayNs + extraNs,
      ...by,
    }));
  }

  #packet(): Uint8Array {
    const packet = this.#isChanged ? encode(this.#segment) : this.arrival.packet;
    return this.#isCorrupt ? withWrongChecksum(packet) : packet;
  }

  #duplicate(copies: number, afterMs: number): Outcome {
    for (let i = 1; i <= copies; i += 1) this.#extraNs.push(i * afterMs * NANOS_PER_MS);
    return { did: copies === 1 ? 'duplicated' : `duplicated ${copies} times` };
  }

  #truncate(octets: number): Outcome {
    const { payload } = this.#segment;
    if (payload.length <= octets) return { failed: `not truncated: it has no more than ${octets} octets` };
    const shorter = { ...this.#segment, payload: payload.subarray(0, octets) };
    return this.#change(() => shorter, `truncated from ${payload.length} to ${octets} octets`);
  }

  /** What cannot be encoded, or needs a number that the segment does not tell, is left as it was. */
  #change(make: () => Segment, did: string): Outcome {
    try {
      const segment = make();
      encode(segment);
      this.#segment = segment;
      this.#isChanged = true;
      return { did };
    } catch (error) {
      return { failed: `not changed: ${messageOf(error)}` };
    }
  }
}
