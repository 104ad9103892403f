/** Urgent data: its pointer on the wire, and what the program that receives it is told (RFC 9293 section 3.8.5). */
import type { CallRecord } from '../endpoint/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeResults, changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, NotShown, needed, neededSome, passes } from './define.js';
import { callsOn, givenAtNs, isStack, plural } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';

export interface UrgentOptions extends OnFlow {
  /** The side whose program sends urgent data. */
  readonly side?: Side;
}

const isUrgent = ({ args }: CallRecord): boolean => String(args.flags ?? '').includes('OOB');
const octetsOf = ({ result }: CallRecord): number => (result.kind === 'ok' ? Number(result.value) : 0);

/** The call by which a program first sent urgent data, and the relative number of the octet after that data. */
function urgentSend(trace: Trace, side: Side, flow: number): { call: CallRecord; end: number } {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const sends = callsOn(trace, side, flow, { call: 'send', result: 'ok' });
  const call = needed(sends.find(isUrgent), `the program of the ${side} sent no urgent data`);
  const before = sends.slice(0, sends.indexOf(call) + 1);
  return { call, end: before.reduce((end, send) => end + octetsOf(send), 1) };
}

/** The segments that tell of urgent data. */
const urgentSegments = (trace: Trace, side: Side, flow: number): readonly TcpEvent[] =>
  segmentsOf(trace, { from: side, flow, has: 'URG', origin: 'endpoint' });

export function urgentPointed({ side = 'client', flow = 1 }: UrgentOptions = {}): Check {
  return check({
    id: idOn('urgent-pointed', flow),
    sentence: 'Urgent data is sent with URG set and a pointer to the octet after it.',
    requirements: ['MUST-30', 'MUST-62'],
    judge(trace) {
      const { call, end } = urgentSend(trace, side, flow);
      const [first] = urgentSegments(trace, side, flow);
      if (first === undefined) return fails('no segment had URG set', [call]);
      const pointed = (first.facts.relSeq ?? 0) + first.segment.urgentPointer;
      const found = `URG with a pointer of ${first.segment.urgentPointer}, to ${pointed}`;
      return pointed === end
        ? passes(`${found}: the octet after the urgent data`, [call, first])
        : fails(`${found}: the octet after the urgent data is ${end}`, [call, first]);
    },
    mutate: (trace) =>
      changeSegments(
        trace,
        neededSome(urgentSegments(trace, side, flow), 'no segment had URG set'),
        ({ urgentPointer }) => ({ urgentPointer: urgentPointer - 1 }),
      ),
  });
}

/** Answers of calls by which the receiving program asked about urgent data, after it had come. */
function answers(trace: Trace, call: string, { side, flow }: { side: Side; flow: number }) {
  const [first] = neededSome(
    urgentSegments(trace, side, flow).filter(({ deliveries }) => deliveries.length > 0),
    'no segment with URG reached the other side',
  );
  const asked = neededSome(
    callsOn(trace, otherSide(side), flow, { call, result: 'ok' }).filter(
      ({ returnedNs }) => returnedNs >= givenAtNs(first),
    ),
    `the program never asked by ${call}()`,
  );
  return { first, asked };
}

const answerOf = ({ result }: CallRecord): string => (result.kind === 'ok' ? String(result.value) : '');

export function urgentTold({ side = 'client', flow = 1 }: UrgentOptions = {}): Check {
  return check({
    id: idOn('urgent-told', flow),
    sentence: 'The program is told that urgent data has come, and can read it ahead of the rest.',
    requirements: ['MUST-32'],
    judge(trace) {
      const { first, asked } = answers(trace, 'poll', { side, flow });
      const told = asked.find((call) => answerOf(call).includes('urgent'));
      if (told === undefined)
        return fails(`${plural(asked.length, 'poll')} told of no urgent data`, [first, ...asked]);
      const read = callsOn(trace, otherSide(side), flow, { call: 'receive', result: 'data' }).find(isUrgent);
      return passes(`poll tells of it${read === undefined ? '' : ', and it was read'}`, [first, told, read]);
    },
    mutate: (trace) =>
      changeResults(trace, answers(trace, 'poll', { side, flow }).asked, { kind: 'ok', value: 'readable' }),
  });
}

export function urgentMarkTold({ side = 'client', flow = 1 }: UrgentOptions = {}): Check {
  return check({
    id: idOn('urgent-mark-told', flow),
    sentence: 'The program can learn that it has read all that came before the urgent data.',
    requirements: ['MUST-33'],
    judge(trace) {
      const { first, asked } = answers(trace, 'atUrgentMark', { side, flow });
      const told = asked.find((call) => answerOf(call) === '1');
      return told === undefined
        ? fails(`${plural(asked.length, 'question')} answered with no`, [first, ...asked])
        : passes('at the urgent mark, it was told so', [first, told]);
    },
    mutate: (trace) =>
      changeResults(trace, answers(trace, 'atUrgentMark', { side, flow }).asked, { kind: 'ok', value: 0 }),
  });
}
