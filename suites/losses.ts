/** The three losses of each segment: its first copy, its first two, and every copy until the sender gives up. */
import { drop, type Fault, type MatchBuilder } from '../harness/index.js';

export type HowOften = 'once' | 'twice' | 'every';

/** `lost-final-ack`, `lost-final-ack-twice`, `lost-final-ack-every`. */
export const lostName = (segment: string, howOften: HowOften): string =>
  `lost-${segment}${howOften === 'once' ? '' : `-${howOften}`}`;

export const lostText: Readonly<Record<HowOften, string>> = {
  once: 'is lost once',
  twice: 'is lost twice',
  every: 'is lost every time',
};

export function losing(match: MatchBuilder, howOften: HowOften): readonly Fault[] {
  switch (howOften) {
    case 'once':
      return [drop(match.copy(1))];
    case 'twice':
      return [drop(match.copy({ from: 1, to: 2 }))];
    case 'every':
      return [drop(match)];
  }
}
