/**
 * Faults and matches written in TypeScript: `drop(finalAck().from('client').first())`. A match is what its builder is; a
 * fault is plain data, which a thread can be sent.
 */
import type { Action, SegmentChange } from './action.js';
import type { Fault } from './fault.js';
import { withId } from './fault-line.js';
import type { Side } from './flow.js';
import type { Match, RoleWord } from './match.js';
import { MatchBuilder } from './match-builder.js';

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
