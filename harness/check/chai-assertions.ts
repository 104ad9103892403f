/** The assertions of the chai plugin, as methods of chai's `Assertion`. */
import { AssertionError } from 'chai';
import type { Side } from '../fault/index.js';
import { clause } from '../spec/index.js';
import { fateOf, indexesOf, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import {
  failWith,
  type RepeatAssertion,
  repeatAssertion,
  type SegmentAssertion,
  segmentAssertion,
} from './chai-chains.js';
import type { Check, Verdict } from './check.js';
import { isRed, NotShown, type Opinion } from './define.js';
import { judgeStates, type StateStep } from './states.js';
import { parseSegmentName, transmissionsOf } from './transmissions.js';
import { excerpt } from './words.js';

/** What chai gives an assertion as `this`. */
type Asserting = Chai.AssertionStatic;

interface FlowOption {
  readonly flow?: number;
}

function traceOf(asserting: Asserting, assertion: string): Trace {
  const subject: unknown = asserting._obj;
  if (isTrace(subject)) return subject;
  throw new TypeError(`${assertion} speaks of a trace: write expect(trace).to…`);
}

const isTrace = (subject: unknown): subject is Trace =>
  typeof subject === 'object' && subject !== null && 'events' in subject && Array.isArray(subject.events);

export function haveStates(
  this: Asserting,
  side: Side,
  steps: readonly StateStep[],
  { flow = 1 }: FlowOption = {},
): void {
  const trace = traceOf(this, 'states');
  const { verdict, finding, events } = shown(() => judgeStates(trace, side, steps, flow));
  const lines = excerpt(trace, indexesOf(trace, events));
  if (verdict === 'inconclusive')
    throw new AssertionError(
      `it cannot be told whether the ${side} went ${steps.join(', ')}: ${finding}\n${lines}`,
    );
  this.assert(
    verdict === 'pass',
    `expected the states ${steps.join(', ')}: ${finding}\n${lines}`,
    `expected other states than ${steps.join(', ')} at the ${side}\n${lines}`,
  );
}

/** A missing situation as an opinion, as a check would have it. */
function shown(judge: () => Opinion): Opinion {
  try {
    return judge();
  } catch (error) {
    if (error instanceof NotShown) return { verdict: 'inconclusive', finding: error.message, events: [] };
    throw error;
  }
}

export function retransmit(this: Asserting, name: string, { flow = 1 }: FlowOption = {}): RepeatAssertion {
  const trace = traceOf(this, 'retransmit');
  const series = transmissionsOf(trace, name, flow);
  if (series === undefined) return failWith(trace, `there is no ${name} that could have been retransmitted`);
  const lines = excerpt(trace, indexesOf(trace, series.all));
  this.assert(
    series.all.length > 1,
    `expected ${name} to be retransmitted; it was sent once\n${lines}`,
    `expected ${name} to be sent once; it was retransmitted\n${lines}`,
  );
  return repeatAssertion(trace, series);
}

function named(trace: Trace, name: string, flow: number | undefined): readonly TcpEvent[] {
  const { from, roles } = parseSegmentName(name);
  return segmentsOf(trace, {
    role: roles,
    ...(from === undefined ? {} : { from }),
    ...(flow === undefined ? {} : { flow }),
  });
}

export function haveSegment(this: Asserting, name: string, { flow }: FlowOption = {}): SegmentAssertion {
  const trace = traceOf(this, 'haveSegment');
  const found = named(trace, name, flow);
  this.assert(
    found.length > 0,
    `expected the trace to have a segment ${name}\n${excerpt(trace)}`,
    `expected the trace to have no segment ${name}\n${excerpt(trace, indexesOf(trace, found))}`,
  );
  return segmentAssertion(trace, name, found);
}

export function deliver(this: Asserting, name: string, options: FlowOption = {}): void {
  assertFate(this, { name, ...options, fate: 'delivered', verb: 'deliver' });
}

export function drop(this: Asserting, name: string, options: FlowOption = {}): void {
  assertFate(this, { name, ...options, fate: 'dropped', verb: 'drop' });
}

function assertFate(
  asserting: Asserting,
  { name, flow, fate, verb }: FlowOption & { name: string; fate: 'delivered' | 'dropped'; verb: string },
): void {
  const trace = traceOf(asserting, verb);
  const found = named(trace, name, flow);
  if (found.length === 0) failWith(trace, `there is no ${name} that the wire could ${verb}`);
  const lines = excerpt(trace, indexesOf(trace, found));
  asserting.assert(
    found.some((event) => fateOf(event) === fate),
    `expected the wire to ${verb} ${name}\n${lines}`,
    `expected the wire not to ${verb} ${name}\n${lines}`,
  );
}

export function conform(
  this: Asserting,
  check: Check,
  { allow = [] }: { allow?: readonly Verdict[] } = {},
): void {
  const trace = traceOf(this, 'conform');
  const judgement = check.judge(trace);
  const { verdict, finding, evidence } = judgement;
  const isAsAsked = verdict === 'pass' || verdict === 'info' || allow.includes(verdict);
  const text = `${check.sentence} (${check.requirements.map(clause).join('; ')})\n${verdict}: ${finding}`;
  const lines = excerpt(trace, evidence);
  // Neither a pass nor a violation: that the situation did not come about must not satisfy a negation.
  if (!isAsAsked && !isRed(judgement)) throw new AssertionError(`${text}\n${lines}`);
  this.assert(
    isAsAsked,
    `expected a trace on which this holds: ${text}\n${lines}`,
    `expected a violation of: ${text}\n${lines}`,
  );
}
