/** Rules that hold on every trace, whatever its scenario: each is judged on every run. Where a rule has nothing to say it informs. */

import { otherSide, type Side } from '../fault/index.js';
import {
  decode,
  FLAG,
  hasFlags,
  option,
  optionsLength,
  type Segment,
  seqAdd,
  type TcpOption,
} from '../segment/index.js';
import { msBetween, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeEvents, changeSegments, corruptPacket, shifted } from './alter.js';
import type { Check } from './check.js';
import { oneFinForEachSide } from './close.js';
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
import { resetsNotAnswered } from './reset.js';
import { transitionsLegal } from './states.js';
import { ANSWER_MS } from './tolerances.js';

const ownSegments = (trace: Trace) => segmentsOf(trace, { origin: 'endpoint' });
const someOwn = (trace: Trace) => neededSome(ownSegments(trace), 'no stack sent a segment');

/** A rule on each segment that a stack sends. */
function onEverySegment(spec: {
  id: string;
  sentence: string;
  requirements: readonly string[];
  /** What is wrong with the segment; undefined when nothing is. */
  wrong(event: TcpEvent): string | undefined;
  mutate(trace: Trace, segments: readonly [TcpEvent, ...TcpEvent[]]): Trace;
}): Check {
  return check({
    id: spec.id,
    sentence: spec.sentence,
    requirements: spec.requirements,
    judge(trace) {
      const own = ownSegments(trace);
      if (own.length === 0) return informs('no stack sent a segment');
      for (const event of own) {
        const wrong = spec.wrong(event);
        if (wrong !== undefined)
          return fails(`segment ${event.id} of the ${event.facts.from}: ${wrong}`, [event]);
      }
      return passes(plural(own.length, 'segment'));
    },
    mutate: (trace) => spec.mutate(trace, someOwn(trace)),
  });
}

const checksumsRight = onEverySegment({
  id: 'checksums-right',
  sentence: 'Every segment has a right checksum.',
  requirements: ['MUST-2'],
  wrong({ packet }) {
    const decoded = decode(packet);
    return decoded.kind === 'segment' && !decoded.checksumOk.tcp ? 'wrong TCP checksum' : undefined;
  },
  mutate: (trace, [first]) => corruptPacket(trace, [first]),
});

/** A segment without SYN that carries an option; the first of the trace is as good as any. */
const asAckWith = (trace: Trace, event: TcpEvent, added: TcpOption): Trace =>
  changeSegments(trace, [event], () => ({ flags: FLAG.ACK, options: [added] }));

const mssOnlyOnSyn = onEverySegment({
  id: 'mss-only-on-syn',
  sentence: 'The MSS option is on segments with SYN only.',
  requirements: ['MUST-65'],
  wrong: ({ segment }) =>
    !hasFlags(segment, FLAG.SYN) && option(segment, 'mss') !== undefined
      ? 'MSS option without SYN'
      : undefined,
  mutate: (trace, [first]) => asAckWith(trace, first, { kind: 'mss', mss: 1460 }),
});

const sackPermittedOnlyOnSyn = onEverySegment({
  id: 'sack-permitted-only-on-syn',
  sentence: 'The SACK-permitted option is on segments with SYN only.',
  requirements: ['R2018-01'],
  wrong: ({ segment }) =>
    !hasFlags(segment, FLAG.SYN) && option(segment, 'sackPermitted') !== undefined
      ? 'SACK-permitted option without SYN'
      : undefined,
  mutate: (trace, [first]) => asAckWith(trace, first, { kind: 'sackPermitted' }),
});

const optionsReadable = onEverySegment({
  id: 'options-readable',
  sentence: 'Every option but EOL and NOP has a length, and all end within the header.',
  requirements: ['MUST-68', 'MUST-69'],
  wrong: ({ segment }) => segment.optionsProblem?.what,
  mutate: (trace, [first]) =>
    changeEvents(trace, [first], (event) => ({
      ...event,
      segment: {
        ...event.segment,
        optionsProblem: { layer: 'option', at: 40, what: 'an option of length 0', rest: new Uint8Array(4) },
      },
    })),
});

/** RFC 9293 section 3.1 and the checks of 3.10.7: what no stack sends. */
function illegalFlags({ flags, payload }: Segment): string | undefined {
  const has = (bit: number) => (flags & bit) !== 0;
  const kinds = [FLAG.SYN, FLAG.FIN, FLAG.RST].filter(has).length;
  if (kinds > 1) return 'more than one of SYN, FIN and RST';
  if (has(FLAG.ACK) || has(FLAG.SYN) || has(FLAG.RST)) return undefined;
  return payload.length > 0 || has(FLAG.FIN) ? 'data or FIN without ACK' : 'none of SYN, ACK and RST';
}

const flagsLegal = onEverySegment({
  id: 'flags-legal',
  sentence: 'A segment has one of SYN, FIN and RST at most, and ACK unless it is a first SYN or a RST.',
  requirements: ['NOID-23', 'NOID-06'],
  wrong: ({ segment }) => illegalFlags(segment),
  mutate: (trace, [first]) => changeSegments(trace, [first], () => ({ flags: FLAG.SYN | FLAG.FIN })),
});

const localAddressConstant = check({
  id: 'local-address-constant',
  sentence: 'All segments of a connection come from the same local address.',
  requirements: ['MUST-45'],
  judge(trace) {
    const own = ownSegments(trace);
    if (own.length === 0) return informs('no stack sent a segment');
    const addresses = new Map(trace.endpoints.map(({ side, ip }) => [side, ip]));
    const other = own.find(
      ({ segment, facts }) => segment.ip.src !== (addresses.get(facts.from) ?? segment.ip.src),
    );
    if (other === undefined) return passes([...addresses.values()].join(' and '));
    return fails(`a segment of the ${other.facts.from} from ${other.segment.ip.src}`, [other]);
  },
  mutate(trace) {
    const [first] = someOwn(trace);
    const src = first.segment.ip.version === 4 ? '198.51.100.9' : '2001:db8::9';
    return changeSegments(trace, [first], ({ ip }) => ({ ip: { ...ip, src } }));
  },
});

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

const timestampsOnEverySegment = check({
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

const sackOnlyIfPermitted = check({
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

const windowNotShrunk = check({
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
const repeatsNotEarly = check({
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

/** RFC 9293 section 3.7.1: data fits into the other side's MSS, less the options it shares the header with. */
const mssKept = check({
  id: 'mss-kept',
  sentence: "No segment is larger than the other side's MSS allows.",
  requirements: ['MUST-16'],
  judge(trace) {
    const loaded = ownSegments(trace).filter(({ segment }) => segment.payload.length > 0);
    if (loaded.length === 0) return informs('no data was sent');
    for (const event of loaded) {
      const limit = mssGiven(trace, event);
      if (limit !== undefined && event.segment.payload.length > limit)
        return fails(`${event.segment.payload.length} octets of data, and the MSS leaves room for ${limit}`, [
          event,
        ]);
    }
    const most = Math.max(...loaded.map(({ segment }) => segment.payload.length));
    return passes(`${plural(loaded.length, 'segment')} with data, ${most} octets at most`);
  },
  mutate(trace) {
    const [first] = neededSome(
      ownSegments(trace).filter(({ segment }) => segment.payload.length > 0),
      'no data was sent',
    );
    return changeSegments(trace, [first], () => ({ payload: new Uint8Array(60_000) }));
  },
});

/** 536 and 1220 are what is assumed without the option (MUST-15). */
function mssGiven(trace: Trace, { facts, segment }: TcpEvent): number | undefined {
  const syn = givenTo(trace, facts.from, facts.flow).find((event) => hasFlags(event.segment, FLAG.SYN));
  const given = syn === undefined ? undefined : asDelivered(syn);
  if (given === undefined) return undefined;
  const mss = option(given, 'mss')?.mss ?? (segment.ip.version === 4 ? 536 : 1220);
  // In words of four octets, as the header counts them.
  return mss - 4 * Math.ceil(optionsLength(segment.options) / 4);
}

export const monitors: readonly Check[] = [
  checksumsRight,
  flagsLegal,
  optionsReadable,
  mssOnlyOnSyn,
  sackPermittedOnlyOnSyn,
  sackOnlyIfPermitted,
  timestampsOnEverySegment,
  windowNotShrunk,
  mssKept,
  localAddressConstant,
  repeatsNotEarly,
  oneFinForEachSide(),
  resetsNotAnswered(),
  transitionsLegal(),
];
