/**
 * The timers of stacks as the traces of a run show them: when each repeat of what nobody answers came, and how long states
 * that only a timer ends lasted. Pure. What a trace shows is read from the trace itself, whatever its scenario is called.
 */
import {
  callsOn,
  type EndOfPatience,
  endOfPatience,
  gapsOf,
  lastHeardNs,
  shutWindow,
  type Transmissions,
  toldOrClosed,
  transmissionsOf,
} from '../check/index.js';
import type { Nanos } from '../clock/index.js';
import { SIDES, type Side } from '../fault/index.js';
import { connectionsOf, segmentsOf, staysOf, type TcpEvent, type Trace } from '../trace/index.js';

export const SCHEDULE_KINDS = [
  'SYN',
  'SYN,ACK',
  'data',
  'FIN',
  'FIN of an orphan',
  'window probe',
  'keep-alive',
] as const;
export type ScheduleKind = (typeof SCHEDULE_KINDS)[number];

/** The repeats of one segment that a timer alone made. */
export interface Schedule {
  readonly kind: ScheduleKind;
  readonly stack: string;
  /**
   * Nanoseconds from the first transmission to each repeat; to each window probe from when the window was known to be shut, and
   * to each keep-alive from when something was heard last.
   */
  readonly offsetsNs: readonly Nanos[];
  /** When the stack gave up, counted alike. */
  readonly gaveUpNs?: Nanos;
  /** Where it was measured. */
  readonly scenario: string;
  readonly ipVersion: 4 | 6;
}

/** How long a state lasted that nothing but the stack's timer ended. */
export interface TimedStay {
  readonly state: 'TIME-WAIT' | 'FIN-WAIT-2';
  readonly stack: string;
  readonly leastNs: Nanos;
  readonly mostNs: Nanos;
  /** In so many connections. */
  readonly count: number;
}

export interface TimerTable {
  /** Of each kind and stack the one with most repeats: by kind, then by stack. */
  readonly schedules: readonly Schedule[];
  readonly stays: readonly TimedStay[];
}

/** What nobody answers is shown best where it was repeated most: settings that shorten a schedule do not alter its beginning. */
export function timerTable(traces: readonly Trace[]): TimerTable {
  const best = new Map<string, Schedule>();
  for (const schedule of traces.flatMap(schedulesOf)) {
    const key = `${SCHEDULE_KINDS.indexOf(schedule.kind)} ${schedule.stack}`;
    const known = best.get(key);
    if (known === undefined || completeness(schedule) > completeness(known)) best.set(key, schedule);
  }
  const stays = new Map<string, TimedStay>();
  for (const stay of traces.flatMap(timedStays)) {
    const key = `${stay.state} ${stay.stack}`;
    const known = stays.get(key) ?? { ...stay, count: 0 };
    stays.set(key, {
      ...known,
      leastNs: Math.min(known.leastNs, stay.leastNs),
      mostNs: Math.max(known.mostNs, stay.mostNs),
      count: known.count + 1,
    });
  }
  return { schedules: inOrder(best), stays: inOrder(stays) };
}

/** More repeats, and of as many those that were given up behind them. */
const completeness = ({ offsetsNs, gaveUpNs }: Schedule): number =>
  offsetsNs.length + (gaveUpNs === undefined ? 0 : 0.5);

const inOrder = <T>(byKey: ReadonlyMap<string, T>): readonly T[] =>
  [...byKey].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })).map(([, value]) => value);

interface Place {
  readonly trace: Trace;
  readonly side: Side;
  readonly stack: string;
  readonly flow: number;
}

function placesOf(trace: Trace): readonly Place[] {
  const flows = [...new Set(segmentsOf(trace).map(({ facts }) => facts.flow))];
  return trace.endpoints.flatMap(({ side, stack }) =>
    stack === 'peer' ? [] : flows.map((flow) => ({ trace, side, stack, flow })),
  );
}

const schedulesOf = (trace: Trace): readonly Schedule[] =>
  placesOf(trace).flatMap((place) => [
    ...retransmissions(place, 'SYN', 'syn'),
    ...retransmissions(place, 'SYN,ACK', 'syn-ack'),
    ...retransmissions(place, 'data', 'data'),
    ...retransmissions(place, 'FIN', 'fin'),
    ...windowProbes(place),
    ...keepAlives(place),
  ]);

function schedule(
  { trace, stack }: Place,
  kind: ScheduleKind,
  fromNs: Nanos,
  measured: { readonly repeats: readonly TcpEvent[]; readonly end: EndOfPatience | undefined },
): readonly Schedule[] {
  const { repeats, end } = measured;
  const offsetsNs = repeats.map(({ atNs }) => atNs - fromNs);
  if (offsetsNs.length === 0) return [];
  const { scenario, ipVersion } = trace;
  const gaveUp = end?.event === undefined ? {} : { gaveUpNs: end.atNs - fromNs };
  return [{ kind, stack, offsetsNs, ...gaveUp, scenario, ipVersion }];
}

/** The repeats up to the first that may have had another cause than a timer. */
function retransmissions(place: Place, kind: 'SYN' | 'SYN,ACK' | 'data' | 'FIN', name: string) {
  const { trace, side, flow } = place;
  const series = transmissionsOf(trace, `${side}.${name}`, flow);
  if (series === undefined || series.first.origin !== 'endpoint') return [];
  const gaps = gapsOf(trace, series);
  const other = gaps.findIndex(({ isByTimer }) => !isByTimer);
  const repeats = gaps.slice(0, other === -1 ? gaps.length : other).map(({ to }) => to);
  const end = other === -1 ? endOfSilence(place, series) : undefined;
  const isOrphan = kind === 'FIN' && programGone(place, series.first.atNs);
  return schedule(place, isOrphan ? 'FIN of an orphan' : kind, series.first.atNs, { repeats, end });
}

/** Giving up, and not what an answer or a RST brought about. */
function endOfSilence({ trace, side, flow }: Place, series: Transmissions): EndOfPatience | undefined {
  const end = endOfPatience(trace, series, flow);
  return end === undefined || isHeard(trace, side, flow, series.first.atNs, end.atNs) ? undefined : end;
}

/** Whether anything reached a side in a time. */
const isHeard = (trace: Trace, side: Side, flow: number, fromNs: Nanos, toNs: Nanos): boolean =>
  segmentsOf(trace, { flow, fate: 'delivered' }).some(({ facts, deliveries }) =>
    facts.from === side ? false : deliveries.some(({ atNs }) => atNs > fromNs && atNs <= toNs),
  );

/** The program let go of the connection before its FIN left: the stack has nobody to tell. */
const programGone = ({ trace, side, flow }: Place, finNs: Nanos): boolean =>
  callsOn(trace, side, flow, { call: 'close' }).some(({ atNs }) => atNs <= finNs);

function windowProbes(place: Place): readonly Schedule[] {
  const { trace, side, flow } = place;
  if (segmentsOf(trace, { role: 'window-probe', from: side, flow }).length === 0) return [];
  const { sinceNs, probes, opened } = shutWindow(trace, side, flow);
  const end = opened === undefined ? toldOrClosed(trace, side, flow, sinceNs) : undefined;
  return schedule(place, 'window probe', sinceNs, { repeats: probes, end });
}

/** Of the times in which nothing was heard the one with most probes. */
function keepAlives(place: Place): readonly Schedule[] {
  const { trace, side, flow } = place;
  const silences = new Map<Nanos, TcpEvent[]>();
  for (const probe of segmentsOf(trace, { role: 'keep-alive', from: side, flow, origin: 'endpoint' })) {
    const heardNs = lastHeardNs(trace, side, flow, probe);
    if (heardNs !== undefined) silences.set(heardNs, [...(silences.get(heardNs) ?? []), probe]);
  }
  const [longest] = [...silences].sort(([, a], [, b]) => b.length - a.length);
  if (longest === undefined) return [];
  const [heardNs, repeats] = longest;
  const end = toldOrClosed(trace, side, flow, heardNs);
  const isSilent = end !== undefined && !isHeard(trace, side, flow, heardNs, end.atNs);
  return schedule(place, 'keep-alive', heardNs, { repeats, end: isSilent ? end : undefined });
}

/** Stays that ended as CLOSED at a known instant, and in which nothing came that starts the timer anew or ends it. */
function timedStays(trace: Trace): readonly TimedStay[] {
  return SIDES.flatMap((side) => {
    const stack = trace.endpoints.find((endpoint) => endpoint.side === side)?.stack;
    if (stack === undefined || stack === 'peer') return [];
    return connectionsOf(trace, side).flatMap(({ flow, local, remote }) =>
      (['TIME-WAIT', 'FIN-WAIT-2'] as const).flatMap((state) => {
        const pick = { localPort: local.port, remotePort: remote.port };
        return staysOf(trace, side, state, flow === undefined ? pick : { ...pick, flow }).flatMap((stay) => {
          const { entered, left, certainty } = stay;
          if (left?.to !== 'CLOSED' || certainty !== 'exact' || flow === undefined) return [];
          if (isHeard(trace, side, flow, entered.atNs, left.atNs)) return [];
          const lastedNs = left.atNs - entered.atNs;
          return [{ state, stack, leastNs: lastedNs, mostNs: lastedNs, count: 1 }];
        });
      }),
    );
  });
}
