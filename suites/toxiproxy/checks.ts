/** What the scenarios with Toxiproxy ask of the traces of both legs. */
import {
  type CallRecord,
  callsOf,
  changeResults,
  changeSegments,
  FLAG,
  fails,
  firstSegment,
  hasFlags,
  type LegName,
  type Legs,
  type LegsCheck,
  lastSegment,
  legsCheck,
  msBetween,
  needed,
  onLeg,
  passes,
  passesThrough,
  type SegmentQuery,
  type Side,
  type StateStep,
  shiftEvents,
  type TcpEvent,
  VIA_ENDS,
  type ViaEnd,
} from '../../harness/index.js';

/** The side of a leg that the proxy is. */
export const PROXY: Readonly<Record<LegName, Side>> = { client: 'server', server: 'client' };

const END_NAMES: Readonly<Record<ViaEnd, string>> = {
  client: 'client',
  'proxy-to-client': "proxy's connection to the client",
  'proxy-to-server': "proxy's connection to the server",
  server: 'server',
};

const legText = (leg: LegName): string => `${leg}'s leg`;

/** An end passes through these states, in this order. */
export function goesThrough(end: ViaEnd, states: readonly StateStep[], source: string): LegsCheck {
  const { leg, side } = VIA_ENDS[end];
  return onLeg(leg, passesThrough(side, states), {
    id: `${end}-states`,
    sentence: `The ${END_NAMES[end]} passes through ${states.filter((step) => !step.endsWith('?')).join(', ')}`,
    source,
  });
}

const resultText = ({ result }: CallRecord): string =>
  result.kind === 'error' ? result.errno : result.kind === 'timeout' ? 'nothing' : result.kind;

/** What the last call of its kind told a program: `end`, `ECONNRESET`, `nothing` (it waited in vain), `ok`. */
export function told(end: 'client' | 'server', what: string, source: string, call = 'receive'): LegsCheck {
  const lastOf = (legs: Legs) =>
    needed(callsOf(legs[end], end, { call }).at(-1), `the program of the ${end} made no ${call}`);
  return legsCheck({
    id: `${end}-told${call === 'receive' ? '' : `-by-${call}`}`,
    sentence: `The program at the ${end} is told ${what} by ${call}`,
    source,
    judge(legs) {
      const last = lastOf(legs);
      const found = resultText(last);
      return (found === what ? passes : fails)(`${call}: ${found}`, [last]);
    },
    mutate: (legs) => ({
      ...legs,
      [end]: changeResults(legs[end], [lastOf(legs)], { kind: 'error', errno: 'EPIPE' }),
    }),
  });
}

/** How the proxy ends its connection of a leg: with which of both flags first. */
export function proxyEndsWith(leg: LegName, flag: 'FIN' | 'RST', source: string): LegsCheck {
  const endOf = (legs: Legs) =>
    needed(
      ['FIN', 'RST']
        .flatMap((has) => firstSegment(legs[leg], { from: PROXY[leg], has }) ?? [])
        .sort((a, b) => a.atNs - b.atNs)[0],
      `the proxy did not end its connection on the ${legText(leg)}`,
    );
  return legsCheck({
    id: `${leg}-leg-${flag.toLowerCase()}`,
    sentence: `On the ${legText(leg)} the proxy ends the connection with a ${flag}`,
    source,
    judge(legs) {
      const end = endOf(legs);
      const found = hasFlags(end.segment, FLAG.RST) ? 'RST' : 'FIN';
      return (found === flag ? passes : fails)(`${found} at ${ms(end)}`, [end]);
    },
    mutate: (legs) => {
      const flags = flag === 'RST' ? FLAG.FIN | FLAG.ACK : FLAG.RST | FLAG.ACK;
      return { ...legs, [leg]: changeSegments(legs[leg], [endOf(legs)], () => ({ flags })) };
    },
  });
}

const ms = ({ atNs }: TcpEvent): string => `${(atNs / 1e6).toFixed(1)} ms`;

/** One segment of one leg. */
export interface Picked {
  readonly leg: LegName;
  readonly query: SegmentQuery;
  /** The last that fits, instead of the first. */
  readonly isLast?: boolean;
}

const pick = (legs: Legs, { leg, query, isLast = false }: Picked): TcpEvent =>
  needed(
    (isLast ? lastSegment : firstSegment)(legs[leg], query),
    `the ${legText(leg)} has no such segment: ${JSON.stringify(query)}`,
  );

interface TimingSpec extends Pick<LegsCheck, 'id' | 'sentence' | 'source'> {
  readonly from: Picked;
  readonly to: Picked;
  /** From the one to the other, at least and at most. */
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Go's timers may be some milliseconds late but never early; stamps differ by less than 1 ms. */
const EARLY_MS = 2;

/** A segment comes so long after another, be it of the other leg: both count their time from one instant. */
export function comesAfter({ from, to, leastMs, mostMs, ...about }: TimingSpec): LegsCheck {
  return legsCheck({
    ...about,
    judge(legs) {
      const events = [pick(legs, from), pick(legs, to)] as const;
      const gapMs = msBetween(...events);
      const isIn = gapMs >= leastMs - EARLY_MS && gapMs <= mostMs;
      return (isIn ? passes : fails)(`${gapMs.toFixed(1)} ms after it`, events);
    },
    mutate: (legs) => {
      const trace = legs[to.leg];
      const late = trace.events.filter(({ atNs }) => atNs >= pick(legs, to).atNs);
      return { ...legs, [to.leg]: shiftEvents(trace, late, mostMs + leastMs + 1000) };
    },
  });
}

interface FactSpec extends Pick<LegsCheck, 'id' | 'sentence' | 'source' | 'mutate'> {
  /** Whether it is so, in which words, and by which segments. */
  readonly look: (legs: Legs) => {
    readonly holds: boolean;
    readonly finding: string;
    readonly events: readonly TcpEvent[];
  };
}

/** A fact of both legs that no builder above has a form for. */
export function fact({ look, ...about }: FactSpec): LegsCheck {
  return legsCheck({
    ...about,
    judge(legs) {
      const { holds, finding, events } = look(legs);
      return (holds ? passes : fails)(finding, events);
    },
  });
}
