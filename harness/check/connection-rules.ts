/** Rules for all that a stack sends on a connection. Where a rule has nothing to say of a trace it informs. */

import { otherSide, type Side } from '../fault/index.js';
import { FLAG, hasFlags, option, seqAdd } from '../segment/index.js';
import { msBetween, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeEvents, changeSegments, shifted } from './alter.js';
import { check, fails, informs, needed, neededSome, nonStrict, passes } from './define.js';
import {
  asDelivered,
  durationText,
  flowsOf,
  givenAtNs,
  givenTo,
  isProbe,
  isReset,
  leastRttMs,
  plural,
  SIDES,
  sentBy,
} from './look.js';
import { ownSegments } from './segment-rules.js';
import { ANSWER_MS } from './tolerances.js';

/** What both sides were given in the other's SYN: an option is in force when both carried it. */
function inForce(trace: Trace, flow: number, kind: 'timestamps' | 'sackPermitted', by: Side): boolean {
  const own = segmentsOf(trace, { flow, from: by, has: 'SYN' })[0];
  const other = givenTo(trace, by, flow).find(({ segment }) => hasFlags(segment, FLAG.SYN));
  const given = other === undefined ? undefined : asDelivered(other);
  const offered = given !== undefined && option(given, kind) !== undefined;
  // SACK may be used by who was permitted; timestamps need both.
  return kind === 'sackPermitted'
    ? offered
    : offered && own !== undefined && option(own.segment, kind) !== undefined;
}

/** Segments of stacks behind the handshake's first two, on flows where an option is in force or not. */
function where(trace: Trace, kind: 'timestamps' | 'sackPermitted', wanted: boolean): readonly TcpEvent[] {
  return flowsOf(trace).flatMap((flow) =>
    SIDES.flatMap((side) => {
      if (inForce(trace, flow, kind, side) !== wanted) return [];
      return sentBy(trace, side, flow).filter(({ segment }) => !hasFlags(segment, FLAG.SYN));
    }),
  );
}

export const timestampsOnEverySegment = check({
  id: 'timestamps-on-every-segment',
  sentence: 'Once both SYNs carried timestamps, every segment but a RST carries them.',
  requirements: ['R7323-07'],
  judge(trace) {
    const segments = where(trace, 'timestamps', true).filter((event) => !isReset(event));
    if (segments.length === 0) return informs('timestamps were not agreed on');
    const bare = segments.find(({ segment }) => option(segment, 'timestamps') === undefined);
    if (bare === undefined) return passes(plural(segments.length, 'segment'));
    return fails(`segment ${bare.id} of the ${bare.facts.from} has none`, [bare]);
  },
  mutate(trace) {
    const segments = where(trace, 'timestamps', true).filter((event) => !isReset(event));
    const [first] = neededSome(segments, 'timestamps were not agreed on');
    return changeSegments(trace, [first], () => ({ options: [] }));
  },
});

export const sackOnlyIfPermitted = check({
  id: 'sack-only-if-permitted',
  sentence: "No SACK option is sent unless the other side's SYN permitted it.",
  requirements: ['R2018-02'],
  judge(trace) {
    const sacks = ownSegments(trace).filter(({ segment }) => option(segment, 'sack') !== undefined);
    const forbidden = new Set(where(trace, 'sackPermitted', false));
    const wrong = sacks.find((event) => forbidden.has(event));
    if (wrong !== undefined)
      return fails(`a SACK of the ${wrong.facts.from} that was not permitted`, [wrong]);
    return sacks.length === 0 ? informs('no SACK was sent') : passes(plural(sacks.length, 'SACK'), sacks);
  },
  mutate(trace) {
    const [sack] = neededSome(
      ownSegments(trace).filter(({ segment }) => option(segment, 'sack') !== undefined),
      'no SACK was sent',
    );
    const syns = segmentsOf(trace, { flow: sack.facts.flow, from: otherSide(sack.facts.from), has: 'SYN' });
    return changeSegments(trace, syns, () => ({ options: [] }));
  },
});

/** Right edges of the window as a side told them, RSTs and unscaled SYNs left out. */
function rightEdges(trace: Trace): readonly (readonly { event: TcpEvent; edge: number; unit: number }[])[] {
  return flowsOf(trace).flatMap((flow) =>
    SIDES.map((side) => {
      const syn = segmentsOf(trace, { flow, from: side, has: 'SYN' })[0];
      const unit = 2 ** ((syn && option(syn.segment, 'windowScale')?.shift) ?? 0);
      return sentBy(trace, side, flow)
        .filter(
          (event) => !isReset(event) && hasFlags(event.segment, FLAG.ACK) && event.facts.relAck !== undefined,
        )
        .map((event) => ({ event, edge: (event.facts.relAck ?? 0) + event.facts.windowOctets, unit }));
    }),
  );
}

export const windowNotShrunk = check({
  id: 'window-not-shrunk',
  sentence: 'The right edge of the window that a side offers does not move back.',
  requirements: ['SHLD-14', 'R7323-04'],
  judge(trace) {
    const rows = rightEdges(trace).filter((row) => row.length > 1);
    if (rows.length === 0) return informs('fewer than two windows were offered');
    for (const row of rows) {
      let most = row[0];
      for (const told of row) {
        // A scaled window is told in whole units: rounding may take up to one off (RFC 7323 section 2.4).
        if (most !== undefined && told.edge <= most.edge - told.unit)
          return nonStrict(
            `the ${told.event.facts.from} moved it back by ${plural(most.edge - told.edge, 'octet')}`,
            [most.event, told.event],
          );
        if (most === undefined || told.edge > most.edge) most = told;
      }
    }
    return passes(
      `${plural(
        rows.reduce((sum, row) => sum + row.length, 0),
        'window',
      )} offered`,
    );
  },
  mutate(trace) {
    const [row] = neededSome(
      rightEdges(trace).filter((each) => each.length > 1 && (each[0]?.event.facts.windowOctets ?? 0) > 0),
      'fewer than two windows were offered',
    );
    const last = needed(row.at(-1), 'no window');
    const edge = row[0]?.edge ?? 0;
    // Back to before the first edge, whatever was acknowledged meanwhile.
    const back = Math.max(0, (last.event.facts.relAck ?? 0) - edge + 2 * last.unit);
    return changeSegments(trace, [last.event], ({ ack }) => ({ window: 0, ack: seqAdd(ack, -back) }));
  },
});

interface Repeat {
  readonly before: TcpEvent;
  readonly repeat: TcpEvent;
  readonly gapMs: number;
  /** The shortest round trip of its connection. */
  readonly rttMs: number;
}

/** Retransmissions that no given segment explains: those of a timer, or of a loss probe. */
function timerRepeats(trace: Trace): readonly Repeat[] {
  return flowsOf(trace).flatMap((flow) =>
    SIDES.flatMap((side) => {
      const rttMs = leastRttMs(trace, side, flow);
      if (rttMs === undefined) return [];
      const sent = sentBy(trace, side, flow).filter(
        (event) => event.facts.len > 0 && !isProbe(event) && !isReset(event),
      );
      return sent.flatMap((repeat, i) => {
        const before = sent
          .slice(0, i)
          .findLast(
            (event) => event.facts.relSeq === repeat.facts.relSeq && event.facts.len <= repeat.facts.len,
          );
        if (repeat.facts.copy < 2 || before === undefined) return [];
        // A SYN,ACK answers a SYN that came again.
        const isAnswer =
          repeat.facts.roles.includes('syn-ack') &&
          givenTo(trace, side, flow).some((event) => {
            const agoMs = msBetween(givenAtNs(event), repeat);
            return agoMs > -1 && agoMs < ANSWER_MS;
          });
        return isAnswer ? [] : [{ before, repeat, gapMs: msBetween(before, repeat), rttMs }];
      });
    }),
  );
}

/** No RTO is shorter than a round trip; nor is the wait for a loss probe or for duplicate ACKs. */
export const repeatsNotEarly = check({
  id: 'repeats-not-early',
  sentence:
    'Nothing is retransmitted within the shortest round trip of its connection: no timer can have run out.',
  requirements: ['R6298-10'],
  judge(trace) {
    const repeats = timerRepeats(trace);
    if (repeats.length === 0) return informs('nothing was retransmitted where a round trip is known');
    const early = repeats.find(({ gapMs, rttMs }) => gapMs < rttMs);
    if (early !== undefined)
      return fails(
        `repeated after ${durationText(early.gapMs)}, and the shortest round trip was ${durationText(early.rttMs)}`,
        [early.before, early.repeat],
      );
    const least = Math.min(...repeats.map(({ gapMs }) => gapMs));
    return passes(`${plural(repeats.length, 'retransmission')}, the soonest after ${durationText(least)}`);
  },
  mutate(trace) {
    const [{ repeat, gapMs }] = neededSome(
      timerRepeats(trace),
      'nothing was retransmitted where a round trip is known',
    );
    return changeEvents(trace, [repeat], (event) => shifted(event, -gapMs + 0.001));
  },
});
