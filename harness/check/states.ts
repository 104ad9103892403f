/**
 * Which states a side went through. Eyes that look now and then may miss a short stay: what the diagram of RFC 9293 leaves
 * no other way for counts as passed and is said to be inferred; what it leaves open is inconclusive.
 */
import { TCP_STATES, type TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { TransitionRecord } from '../observe/index.js';
import { FLAG } from '../segment/index.js';
import { isLegalTransition, legalPaths, requirementsOfPath } from '../spec/index.js';
import { connectionOf, connectionsOf, segmentsOf, type Trace } from '../trace/index.js';
import { changeTransitions, removeEvents } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, needed, neededSome, type Opinion, passes } from './define.js';
import { endOf, givenAtNs, givenTo, isReset, SIDES, sentBy } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';

/** A state that must be passed, or (with `?`) one that may be. */
export type StateStep = TcpState | `${TcpState}?`;

/** What is known of a side's way: the states seen, and those that may lie between. */
export interface Way {
  /** Each possible row of states that agrees with what was seen, the likeliest first. */
  readonly rows: readonly (readonly TcpState[])[];
  readonly transitions: readonly TransitionRecord[];
  /** All transitions were seen themselves, at their instant. */
  readonly isExact: boolean;
}

/** More ways than this are as good as unknown. */
const MOST_ROWS = 500;

/** The ways that a side's connection can have gone; undefined when nobody watched it. */
export function wayOf(trace: Trace, side: Side, flow: number): Way | undefined {
  const seen = connectionOf(trace, side, { flow })?.transitions ?? [];
  // A kernel that says the same state twice (Linux on the way from CLOSING to TIME-WAIT) changed nothing.
  const transitions = seen.filter(({ from, to }) => from !== to);
  const [first] = transitions;
  if (first === undefined) return undefined;
  const ruledOut = whatSegmentsRuleOut(trace, side, flow);
  let rows: readonly (readonly TcpState[])[] = [[first.from]];
  let here: TcpState = first.from;
  for (const transition of transitions) {
    const { from, to, certainty } = transition;
    // An inferred step is a guess at what lay between two looks: what was seen at the next one decides.
    if (certainty === 'inferred' && transition !== transitions.at(-1)) continue;
    if (certainty === 'exact') {
      if (here !== from) rows = extended(rows, between(here, from, ruledOut));
      rows = extended(rows, [[from, to]]);
    } else rows = extended(rows, between(here, to, ruledOut));
    here = to;
  }
  return { rows, transitions, isExact: transitions.every(({ certainty }) => certainty === 'exact') };
}

interface RuledOut {
  readonly states: readonly TcpState[];
  /** FIN-WAIT-1 was not left for TIME-WAIT by one segment. */
  readonly isFinWait2Sure: boolean;
}

/** Segments tell where a side cannot have been: who never sent a SYN alone was never in SYN-SENT. */
function whatSegmentsRuleOut(trace: Trace, side: Side, flow: number): RuledOut {
  const sent = sentBy(trace, side, flow);
  const hasSent = (bits: number, mask: number) => sent.some(({ segment }) => (segment.flags & mask) === bits);
  const states: TcpState[] = ['LISTEN'];
  if (!hasSent(FLAG.SYN, FLAG.SYN | FLAG.ACK)) states.push('SYN-SENT');
  if (!hasSent(FLAG.SYN | FLAG.ACK, FLAG.SYN | FLAG.ACK)) states.push('SYN-RECEIVED');
  const isAnswered = givenTo(trace, side, flow).some(
    (event) => !isReset(event) && (event.facts.relAck ?? 0) >= 1,
  );
  if (!isAnswered) states.push('ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2', 'LAST-ACK', 'CLOSING', 'TIME-WAIT');
  const { finNs, ackOfFinNs } = givenInClose(trace, side, flow);
  if (!hasSent(FLAG.FIN, FLAG.FIN))
    states.push('FIN-WAIT-1', 'FIN-WAIT-2', 'LAST-ACK', 'CLOSING', 'TIME-WAIT');
  if (finNs === undefined) states.push('CLOSE-WAIT', 'LAST-ACK', 'CLOSING', 'TIME-WAIT');
  // RFC 9293 section 3.10.7.4: who is given the ACK of its FIN first passes FIN-WAIT-2, who is given the FIN first CLOSING.
  if (ackOfFinNs === undefined) states.push('FIN-WAIT-2', 'TIME-WAIT');
  // Section 3.10.7.3 and .4: nobody is established whose SYN was not acknowledged.
  const isSynAcked = givenTo(trace, side, flow).some(
    (event) => !isReset(event) && (event.facts.relAck ?? 0) >= 1,
  );
  if (!isSynAcked) states.push('ESTABLISHED');
  const ackFirst = ackOfFinNs !== undefined && ackOfFinNs <= (finNs ?? Number.POSITIVE_INFINITY);
  if (ackFirst) states.push('CLOSING');
  else if (finNs !== undefined) states.push('FIN-WAIT-2');
  return { states, isFinWait2Sure: ackFirst && ackOfFinNs !== finNs };
}

/** When a side was first given the other's FIN, and the ACK of its own. */
function givenInClose(trace: Trace, side: Side, flow: number): { finNs?: number; ackOfFinNs?: number } {
  const ownFin = segmentsOf(trace, { from: side, flow, has: 'FIN' })[0];
  const given = givenTo(trace, side, flow).filter((event) => !isReset(event));
  const fin = given.find(({ segment }) => (segment.flags & FLAG.FIN) !== 0);
  const ack = ownFin && given.find(({ facts }) => (facts.relAck ?? 0) >= endOf(ownFin));
  return {
    ...(fin === undefined ? {} : { finNs: givenAtNs(fin) }),
    ...(ack === undefined ? {} : { ackOfFinNs: givenAtNs(ack) }),
  };
}

/** The legal ways between two states; where the diagram has none, the step as it was seen. */
function between(
  from: TcpState,
  to: TcpState,
  { states, isFinWait2Sure }: RuledOut,
): readonly (readonly TcpState[])[] {
  if (from === to) return [[from]];
  const paths = legalPaths(from, to, states).filter(
    (path) =>
      !isFinWait2Sure || path[path.indexOf('FIN-WAIT-1') + 1] !== 'TIME-WAIT' || !path.includes('FIN-WAIT-1'),
  );
  return paths.length > 0 ? paths : [[from, to]];
}

const extended = (
  rows: readonly (readonly TcpState[])[],
  paths: readonly (readonly TcpState[])[],
): readonly (readonly TcpState[])[] =>
  rows.flatMap((row) => paths.map((path) => [...row, ...path.slice(1)])).slice(0, MOST_ROWS);

const isOptional = (step: StateStep): boolean => step.endsWith('?');
const stateOf = (step: StateStep): TcpState => step.replace('?', '') as TcpState; // the type has no other suffix

/** Whether the steps stand in a row of states, one behind the other. `partly`: the row ends before they do. */
export function matchSteps(row: readonly TcpState[], steps: readonly StateStep[]): 'all' | 'partly' | 'none' {
  let best: 'partly' | 'none' = 'none';
  for (let start = 0; start < row.length; start++) {
    const found = matchFrom(row, start, steps);
    if (found === 'all') return 'all';
    if (found === 'partly') best = 'partly';
  }
  return best;
}

function matchFrom(
  row: readonly TcpState[],
  start: number,
  steps: readonly StateStep[],
): 'all' | 'partly' | 'none' {
  const [step, ...rest] = steps;
  if (step === undefined) return 'all';
  const state = row[start];
  const skipped = isOptional(step) ? matchFrom(row, start, rest) : 'none';
  if (skipped === 'all') return 'all';
  if (state === undefined) return 'partly';
  const taken = state === stateOf(step) ? matchFrom(row, start + 1, rest) : 'none';
  return taken === 'none' ? skipped : taken;
}

export interface PassesThroughOptions extends OnFlow {
  readonly id?: string;
  readonly sentence?: string;
  readonly requirements?: readonly string[];
}

export function passesThrough(
  side: Side,
  steps: readonly StateStep[],
  options: PassesThroughOptions = {},
): Check {
  const { flow = 1 } = options;
  const states = steps.filter((step) => !isOptional(step)).map(stateOf);
  const names = states.map((state) => state.toLowerCase()).join('-then-');
  return check({
    id: idOn(options.id ?? `${side}-${names}`, flow),
    sentence: options.sentence ?? `The ${side} passes through ${states.join(', ')}, in this order.`,
    requirements: options.requirements ?? requirementsOfPath(steps.map(stateOf)),
    judge: (trace) => judgeStates(trace, side, steps, flow),
    mutate: (trace) => detour(trace, side, states, flow),
  });
}

/** The judgement of `passesThrough`, for the assertions too. */
export function judgeStates(trace: Trace, side: Side, steps: readonly StateStep[], flow = 1): Opinion {
  const way = needed(wayOf(trace, side, flow), `nobody watched the states of the ${side}`);
  const { rows, transitions, isExact } = way;
  const seen = statesText(way);
  const matches = rows.map((row) => matchSteps(row, steps));
  if (matches.every((match) => match === 'all'))
    return passes(isExact ? seen : `${seen} (${inferredText(way, steps)})`, transitions);
  if (matches.some((match) => match === 'all'))
    return inconclusive(
      `${seen}: some states were too short to be seen, and more than one way is legal`,
      transitions,
    );
  if (matches.some((match) => match === 'partly'))
    return inconclusive(`${seen}: the run ended there`, transitions);
  return fails(`the ${side} went ${seen}, not ${steps.map(stateOf).join(', ')}`, transitions);
}

/** The states as seen: `SYN-SENT, ESTABLISHED … LAST-ACK, CLOSED` with dots where a look came too late to be sure. */
export function statesText({ transitions }: Way): string {
  let text = transitions[0]?.from ?? '';
  let here = text;
  for (const { from, to, certainty } of transitions) {
    if (from !== here) text += ` … ${from}`;
    text += certainty === 'exact' || isLegalTransition(from, to) ? `, ${to}` : ` … ${to}`;
    here = to;
  }
  return text;
}

function inferredText({ transitions }: Way, steps: readonly StateStep[]): string {
  const seen = new Set(transitions.flatMap(({ from, to }) => [from, to]));
  const unseen = steps.filter((step) => !isOptional(step) && !seen.has(stateOf(step)));
  return unseen.length === 0
    ? 'seen by looks in between'
    : `${unseen.join(' and ')} not seen, but there is no other way`;
}

/** The last of the wanted states is replaced by one that the diagram has no way to. */
function detour(trace: Trace, side: Side, states: readonly TcpState[], flow: number): Trace {
  const connection = needed(connectionOf(trace, side, { flow }), `nobody watched the states of the ${side}`);
  const wanted = states.at(-1);
  const goal = needed(
    connection.transitions.findLast(({ to }) => to === wanted),
    `the ${side} never came to ${wanted}`,
  );
  const wrong = needed(
    TCP_STATES.find((state) => !states.includes(state) && !isLegalTransition(goal.from, state)),
    'every state is among the wanted ones',
  );
  const later = connection.transitions.slice(connection.transitions.indexOf(goal) + 1);
  return changeTransitions(removeEvents(trace, later), [goal], () => ({ to: wrong, certainty: 'exact' }));
}

/** All transitions of all connections of stacks, each legal, or (seen late) with a legal way between. */
export function transitionsLegal(): Check {
  return check({
    id: 'transitions-legal',
    sentence: 'Every change of state is one that the state diagram has.',
    requirements: ['NOID-05', 'NOID-09', 'NOID-24', 'NOID-27', 'NOID-30', 'NOID-32', 'NOID-34'],
    judge(trace) {
      const transitions = SIDES.flatMap((side) =>
        connectionsOf(trace, side).flatMap((each) => each.transitions),
      );
      if (transitions.length === 0) return informs('nobody watched the states');
      const illegal = transitions.find(
        ({ from, to, certainty }) =>
          from !== to &&
          !isLegalTransition(from, to) &&
          (certainty === 'exact' || legalPaths(from, to).length === 0),
      );
      if (illegal === undefined) return passes(`${transitions.length} transitions, all legal`);
      return fails(`the ${illegal.side} went from ${illegal.from} to ${illegal.to}`, [illegal]);
    },
    mutate(trace) {
      const [connection] = neededSome(
        SIDES.flatMap((side) => connectionsOf(trace, side)),
        'nobody watched the states',
      );
      return changeTransitions(trace, connection.transitions.slice(-1), () => ({
        from: 'LAST-ACK',
        to: 'ESTABLISHED',
      }));
    },
  });
}
