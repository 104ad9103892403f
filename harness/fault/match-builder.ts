/** Matches that are narrowed step by step, in words: `fin().from('server').copy(2)`. */
import type { FlagName, OptionKind } from '../segment/index.js';
import { otherSide, type Side } from './flow.js';
import type {
  FlagsMatch,
  Match,
  Numbers,
  OptionsMatch,
  PayloadMatch,
  RoleWord,
  SinceMatch,
} from './match.js';

/** Plain data with methods that no copy or JSON of it carries. Each step gives a new one. */
export class MatchBuilder implements Match {
  declare readonly role?: RoleWord;
  declare readonly sender?: Side;
  declare readonly flow?: Numbers;
  declare readonly flags?: FlagsMatch;
  declare readonly nth?: Numbers;
  declare readonly copies?: Numbers | 'every';
  declare readonly atMost?: number;
  declare readonly relSeq?: Numbers;
  declare readonly relAck?: Numbers;
  declare readonly covers?: number;
  declare readonly window?: Numbers;
  declare readonly options?: OptionsMatch;
  declare readonly payload?: PayloadMatch;
  declare readonly since?: SinceMatch;
  declare readonly acknowledges?: Match;
  declare readonly allOf?: readonly Match[];
  declare readonly anyOf?: readonly Match[];
  declare readonly not?: Match;

  constructor(match: Match = {}) {
    Object.assign(this, match);
  }

  #but(more: Match): MatchBuilder {
    return new MatchBuilder({ ...this, ...more });
  }

  from(side: Side): MatchBuilder {
    return this.#but({ sender: side });
  }

  to(side: Side): MatchBuilder {
    return this.#but({ sender: otherSide(side) });
  }

  inFlow(flow: Numbers): MatchBuilder {
    return this.#but({ flow });
  }

  /** The first segment that is all this, or the first so many: no later one matches. */
  first(count = 1): MatchBuilder {
    return this.#but({ atMost: count });
  }

  /** The n-th by its first transmission; that one alone, unless copies are named. */
  ordinal(nth: Numbers): MatchBuilder {
    return this.#but({ nth });
  }

  /** These transmissions: 1 is the original. */
  copy(copies: Numbers): MatchBuilder {
    return this.#but({ copies });
  }

  everyCopy(): MatchBuilder {
    return this.#but({ copies: 'every' });
  }

  /** All transmissions but the first. */
  retransmissions(): MatchBuilder {
    return this.#but({ copies: { from: 2 } });
  }

  withFlags(...all: readonly FlagName[]): MatchBuilder {
    return this.#but({ flags: { ...this.flags, all } });
  }

  withoutFlags(...none: readonly FlagName[]): MatchBuilder {
    return this.#but({ flags: { ...this.flags, none } });
  }

  withExactly(...exactly: readonly FlagName[]): MatchBuilder {
    return this.#but({ flags: { ...this.flags, exactly } });
  }

  withOptions(...present: readonly OptionKind[]): MatchBuilder {
    return this.#but({ options: { ...this.options, present } });
  }

  withoutOptions(...absent: readonly OptionKind[]): MatchBuilder {
    return this.#but({ options: { ...this.options, absent } });
  }

  withOptionValues(values: Omit<OptionsMatch, 'present' | 'absent'>): MatchBuilder {
    return this.#but({ options: { ...this.options, ...values } });
  }

  /** In octets, scaled. */
  withWindow(window: Numbers): MatchBuilder {
    return this.#but({ window });
  }

  atSeq(relSeq: Numbers): MatchBuilder {
    return this.#but({ relSeq });
  }

  atAck(relAck: Numbers): MatchBuilder {
    return this.#but({ relAck });
  }

  covering(relSeq: number): MatchBuilder {
    return this.#but({ covers: relSeq });
  }

  ofLength(length: Numbers): MatchBuilder {
    return this.#but({ payload: { ...this.payload, length } });
  }

  containing(content: string | Uint8Array): MatchBuilder {
    const clause =
      typeof content === 'string'
        ? { contains: content }
        : { containsHex: Buffer.from(content).toString('hex') };
    return this.#but({ payload: { ...this.payload, ...clause } });
  }

  /** Behind the first segment that matches, or behind the start of the wire. */
  after(event: Match | 'start', span: Omit<SinceMatch, 'event'> = {}): MatchBuilder {
    return this.#but({ since: { ...(event !== 'start' && { event }), ...span } });
  }

  /** It acknowledges a segment that matches. */
  acknowledging(match: Match): MatchBuilder {
    return this.#but({ acknowledges: match });
  }

  and(...others: readonly Match[]): MatchBuilder {
    return new MatchBuilder({ allOf: [this, ...others] });
  }

  or(...others: readonly Match[]): MatchBuilder {
    return new MatchBuilder({ anyOf: [this, ...others] });
  }

  butNot(match: Match): MatchBuilder {
    return this.#but({ not: match });
  }
}
