/** All transmissions of one segment, the gaps between them, and how those grow. */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, ROLES, type Role, SIDES, type Side } from '../fault/index.js';
import { option } from '../segment/index.js';
import { fateOf, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { needed } from './define.js';
import { copiesOf, givenAtNs, givenTo } from './look.js';
import { DOUBLING, EVEN_SHARE, LEAST_RTO_BOUND_MS } from './tolerances.js';

/** A role, `fin` (active or passive), either with its sender before it: `server.fin`. */
export type SegmentName = SegmentWord | `${Side}.${SegmentWord}`;
export type SegmentWord = Role | 'fin';

export interface Named {
  readonly from?: Side;
  readonly roles: readonly Role[];
}

/** Reads a segment's name; throws one sentence that lists the names there are. */
export function parseSegmentName(name: string): Named {
  const dot = name.indexOf('.');
  const side = SIDES.find((each) => each === name.slice(0, Math.max(0, dot)));
  const word = side === undefined ? name : name.slice(dot + 1);
  const from = side === undefined ? {} : { from: side };
  if (word === 'fin') return { ...from, roles: ['active-fin', 'passive-fin'] };
  const role = ROLES.find((each) => each === word);
  if (role !== undefined) return { ...from, roles: [role] };
  throw new RangeError(
    `no segment is called "${name}": write fin, ${ROLES.join(', ')}, with or without "client." or "server." before it`,
  );
}

const NOUNS: Readonly<Record<SegmentWord, string>> = {
  syn: 'SYN',
  'syn-ack': 'SYN,ACK',
  'handshake-ack': 'handshake ACK',
  data: 'segment of data',
  'pure-ack': 'pure ACK',
  fin: 'FIN',
  'active-fin': 'FIN of the active closer',
  'active-fin-ack': 'ACK of the first FIN',
  'passive-fin': 'FIN of the passive closer',
  'final-ack': 'final ACK',
  rst: 'RST',
  'keep-alive': 'keep-alive',
  'window-probe': 'window probe',
};

/** The segment in a sentence: `FIN of the server`, `segment of data`. */
export function nounOf(name: SegmentName): string {
  const dot = name.indexOf('.');
  if (dot < 0) return NOUNS[name as SegmentWord]; // the type has no other name without a dot
  return `${NOUNS[name.slice(dot + 1) as SegmentWord]} of the ${name.slice(0, dot)}`;
}

export interface Transmissions {
  readonly name: string;
  readonly from: Side;
  readonly first: TcpEvent;
  /** In order, the first included. */
  readonly all: readonly TcpEvent[];
}

/** All transmissions of what a name means first on a flow. Of data, the first that a fault dropped or that was repeated. */
export function transmissionsOf(trace: Trace, name: string, flow: number): Transmissions | undefined {
  const { from, roles } = parseSegmentName(name);
  const side = from === undefined ? {} : { from };
  const role = roles.find((each) => segmentsOf(trace, { role: each, flow, ...side }).length > 0);
  if (role === undefined) return undefined;
  const all = role === 'data' ? dataCopies(trace, flow, side) : copiesOf(trace, role, { flow, ...side });
  const [first] = all;
  return first === undefined ? undefined : { name, from: first.facts.from, first, all };
}

function dataCopies(trace: Trace, flow: number, side: { from?: Side }): readonly TcpEvent[] {
  const data = segmentsOf(trace, { role: 'data', flow, ...side });
  const lost = data.find((event) => event.facts.copy === 1 && fateOf(event) === 'dropped');
  const repeated = data.find((event) => event.facts.copy > 1);
  const chosen = lost ?? repeated ?? data[0];
  const { relSeq, from } = chosen?.facts ?? {};
  if (relSeq === undefined) return [];
  // A retransmission may join neighbours into one segment, or send the first part alone.
  return data.filter(
    ({ facts }) =>
      facts.from === from &&
      facts.relSeq !== undefined &&
      facts.relSeq <= relSeq &&
      relSeq < facts.relSeq + facts.len,
  );
}

export const neededTransmissions = (trace: Trace, name: string, flow: number): Transmissions =>
  needed(transmissionsOf(trace, name, flow), `there was no ${name} on flow ${flow}`);

/** The time between two transmissions. */
export interface Gap {
  readonly ms: number;
  readonly from: TcpEvent;
  readonly to: TcpEvent;
  /** The sender was given nothing meanwhile that says anything of what it sent: its timer alone can have made it send. */
  readonly isByTimer: boolean;
}

export function gapsOf(trace: Trace, { all, from }: Transmissions): readonly Gap[] {
  const flow = all[0]?.facts.flow ?? 1;
  const given = tellingOf(givenTo(trace, from, flow)).flatMap(({ deliveries }) =>
    deliveries.map(({ atNs }) => atNs),
  );
  return all.slice(1).flatMap((to, i) => {
    const before = all[i];
    if (before === undefined) return [];
    const isByTimer = !given.some((atNs) => atNs > before.atNs && atNs <= to.atNs);
    return [{ ms: (to.atNs - before.atNs) / NANOS_PER_MS, from: before, to, isByTimer }];
  });
}

/**
 * Those of the segments given to a sender that may make it repeat something. What carries data and acknowledges nothing new tells nothing
 * of what arrived: by RFC 5681 section 2 it is no duplicate ACK either.
 */
function tellingOf(given: readonly TcpEvent[]): readonly TcpEvent[] {
  let acknowledged = 0;
  return given.filter(({ segment, facts }) => {
    const { relAck = 0 } = facts;
    const isNews = relAck > acknowledged || option(segment, 'sack') !== undefined;
    acknowledged = Math.max(acknowledged, relAck);
    return isNews || segment.payload.length === 0;
  });
}

/** The longest run of gaps that timers alone made. */
export function timerGaps(gaps: readonly Gap[]): readonly Gap[] {
  let best: readonly Gap[] = [];
  let run: Gap[] = [];
  for (const gap of gaps) {
    run = gap.isByTimer ? [...run, gap] : [];
    if (run.length > best.length) best = run;
  }
  return best;
}

/** How gaps grow: how many equal ones lead, and whether each behind them is twice the one before. */
export interface Growth {
  /** Gaps at the head that are like the first, itself not counted. */
  readonly evenLead: number;
  /** Ratios behind the even lead. */
  readonly ratios: readonly number[];
  readonly kind: 'doubles' | 'even' | 'shrinks' | 'uneven';
}

export function growthOf(gapsMs: readonly number[], boundMs = LEAST_RTO_BOUND_MS): Growth {
  const steps = gapsMs.slice(1).map((ms, i) => {
    const before = gapsMs[i] ?? ms;
    return { ratio: ms / before, isAtBound: ms >= boundMs * (1 - EVEN_SHARE) };
  });
  const isEven = ({ ratio }: { ratio: number }) => Math.abs(ratio - 1) <= EVEN_SHARE;
  const firstGrowth = steps.findIndex((step) => !isEven(step));
  const evenLead = firstGrowth === -1 ? steps.length : firstGrowth;
  const rest = steps.slice(evenLead);
  const ratios = rest.map(({ ratio }) => ratio);
  if (rest.length === 0) return { evenLead, ratios, kind: 'even' };
  if (steps.some(({ ratio }) => ratio < 1 - EVEN_SHARE)) return { evenLead, ratios, kind: 'shrinks' };
  const doubles = rest.every(
    (step) =>
      (step.ratio >= DOUBLING.least && step.ratio <= DOUBLING.most) || (step.isAtBound && step.ratio >= 0.75),
  );
  return { evenLead, ratios, kind: doubles ? 'doubles' : 'uneven' };
}

/** Whether the other side was given any of these, and answered so that the sender was given the answer. */
export function isAnswered(trace: Trace, { all, from }: Transmissions): boolean {
  const [first] = all;
  if (first === undefined) return false;
  const end = (first.facts.relSeq ?? 0) + first.facts.len;
  return segmentsOf(trace, {
    from: otherSide(from),
    flow: first.facts.flow,
    fate: 'delivered',
    has: 'ACK',
  }).some((event) => givenAtNs(event) > first.atNs && (event.facts.relAck ?? 0) >= end);
}
