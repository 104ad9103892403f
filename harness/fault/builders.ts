/**
 * Faults and matches written in TypeScript: `drop(finalAck().from('client').first())`. What a builder makes is the plain
 * data of `Match` and `Fault`, with methods that no copy or JSON of it carries.
 */
import type { FlagName, OptionKind } from '../segment/index.js';
import type { Action, SegmentChange } from './action.js';
import type { Fault } from './fault.js';
import { withId } from './fault-line.js';
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

/** A match that can be narrowed step by step. Each step gives a new one. */
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

const role = (role: RoleWord) => (): MatchBuilder => new MatchBuilder({ role });

/** Any segment. */
export const segment = (): MatchBuilder => new MatchBuilder();
export const syn = role('syn');
export const synAck = role('syn-ack');
export const handshakeAck = role('handshake-ack');
export const data = role('data');
export const pureAck = role('pure-ack');
export const activeFin = role('active-fin');
export const activeFinAck = role('active-fin-ack');
export const passiveFin = role('passive-fin');
/** A FIN of either kind. */
export const fin = role('fin');
export const finalAck = role('final-ack');
export const rst = role('rst');
export const keepAlive = role('keep-alive');
export const windowProbe = role('window-probe');
export const not = (match: Match): MatchBuilder => new MatchBuilder({ not: match });

export interface FaultOptions {
  /** To release or remove the fault by, and in receipts; without it the fault's text. */
  readonly id?: string;
  /** Acts on so many segments at most. */
  readonly times?: number;
}

export const drop = (match: Match, options?: FaultOptions): Fault => fault(match, { kind: 'drop' }, options);

export const delay = (match: Match, { byMs, ...options }: { readonly byMs: number } & FaultOptions): Fault =>
  fault(match, { kind: 'delay', byMs }, options);

export const hold = (
  match: Match,
  { until, ...options }: { readonly until?: Match } & FaultOptions = {},
): Fault => fault(match, { kind: 'hold', ...(until !== undefined && { until }) }, options);

export const duplicate = (
  match: Match,
  {
    copies,
    afterMs,
    ...options
  }: { readonly copies?: number; readonly afterMs?: number } & FaultOptions = {},
): Fault =>
  fault(
    match,
    { kind: 'duplicate', ...(copies !== undefined && { copies }), ...(afterMs !== undefined && { afterMs }) },
    options,
  );

/** Keeps it back until so many others of its side and connection have gone by. */
export const reorder = (
  match: Match,
  { after, ...options }: { readonly after: number } & FaultOptions,
): Fault => fault(match, { kind: 'reorder', after }, options);

export const rewrite = (match: Match, set: SegmentChange, options?: FaultOptions): Fault =>
  fault(match, { kind: 'rewrite', set }, options);

export const corruptChecksum = (match: Match, options?: FaultOptions): Fault =>
  fault(match, { kind: 'corrupt-checksum' }, options);

export const truncate = (
  match: Match,
  { toOctets, ...options }: { readonly toOctets: number } & FaultOptions,
): Fault => fault(match, { kind: 'truncate', toOctets }, options);

interface Sending extends FaultOptions {
  /** The segment that it comes behind. */
  readonly on: Match;
  readonly afterMs?: number;
}

export const inject = (
  segment: SegmentChange,
  { on, sender, afterMs, ...options }: Sending & { readonly sender?: Side },
): Fault =>
  fault(
    on,
    {
      kind: 'inject',
      segment,
      ...(sender !== undefined && { sender }),
      ...(afterMs !== undefined && { afterMs }),
    },
    options,
  );

/** Sends the latest earlier segment that matches once more. */
export const replay = (of: Match, { on, afterMs, ...options }: Sending): Fault =>
  fault(on, { kind: 'replay', of, ...(afterMs !== undefined && { afterMs }) }, options);

/** Builders become plain data, which a thread can be sent. */
function fault(match: Match, action: Action, { id, times }: FaultOptions = {}): Fault {
  return withId(
    structuredClone({
      match,
      action,
      ...(times !== undefined && { times }),
      ...(id !== undefined && { id }),
    }),
  );
}
