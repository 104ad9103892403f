/** Keep-alives that nobody answers: one is survived, several end the connection (RFC 9293 section 3.8.4). */
import type { Side } from '../fault/index.js';
import { FLAG } from '../segment/index.js';
import { gaps, msBetween, segmentsOf, type Trace } from '../trace/index.js';
import { changeEvents, changeResults, cutAfter, withFields } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, needed, neededSome, passes } from './define.js';
import { type KeepAliveOptions, probesOf } from './keep-alive.js';
import { callsOn, closedAt, durationText, givenTo, plural, secondsText } from './look.js';
import { idOn } from './on-flow.js';

/** Probes by whether the prober was given anything before the next one (or, behind the last, before the end). */
function unanswered(trace: Trace, side: Side, flow: number) {
  const probes = probesOf(trace, side, flow);
  const given = givenTo(trace, side, flow).flatMap(({ deliveries }) => deliveries.map(({ atNs }) => atNs));
  return probes.map((probe, i) => {
    const next = probes[i + 1];
    const answeredNs = given.find(
      (atNs) => atNs > probe.atNs && atNs < (next?.atNs ?? Number.POSITIVE_INFINITY),
    );
    return { probe, next, isAnswered: answeredNs !== undefined };
  });
}

export function unansweredProbeSurvived({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const look = (trace: Trace) =>
    needed(
      unanswered(trace, side, flow).find(({ isAnswered }) => !isAnswered),
      'every keep-alive was answered',
    );
  return check({
    id: idOn('unanswered-keep-alive-survived', flow),
    sentence: 'One keep-alive without an answer does not end the connection: another is sent.',
    requirements: ['MUST-29'],
    judge(trace) {
      const { probe, next } = look(trace);
      const isSoon = (event: { readonly atNs: number }) =>
        event.atNs > probe.atNs && event.atNs < (next?.atNs ?? Number.POSITIVE_INFINITY);
      const rst = segmentsOf(trace, { from: side, flow, role: 'rst', after: probe }).find(isSoon);
      const closed = closedAt(trace, side, flow);
      const isClosed = closed !== undefined && isSoon(closed);
      if (rst !== undefined || isClosed)
        return fails('the connection ended after one unanswered keep-alive', [probe, rst, closed]);
      if (next === undefined)
        return inconclusive('the run ended before the next keep-alive was due', [probe]);
      return passes(`the next keep-alive came ${durationText(msBetween(probe, next))} later`, [probe, next]);
    },
    mutate(trace) {
      const { next } = look(trace);
      const rst = needed(next, 'no keep-alive followed');
      // The next thing that the prober sends is a RST, and that is the end.
      return changeEvents(cutAfter(trace, rst.atNs), [rst], (event) => ({
        ...withFields(event, { flags: FLAG.RST }),
        facts: { ...event.facts, roles: ['rst'] },
      }));
    },
  });
}

export function keepAliveGivesUp({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const look = (trace: Trace) => {
    const all = unanswered(trace, side, flow);
    const lastAnswered = all.findLastIndex(({ isAnswered }) => isAnswered);
    const silent = all.slice(lastAnswered + 1).map(({ probe }) => probe);
    const [first] = neededSome(silent, 'the last keep-alive was answered');
    const call = callsOn(trace, side, flow).find(
      ({ call: name, returnedNs, result }) =>
        ['receive', 'send', 'error'].includes(name) && returnedNs > first.atNs && result.kind !== 'timeout',
    );
    return { silent, call, closed: closedAt(trace, side, flow) };
  };
  return check({
    id: idOn('keep-alive-gives-up', flow),
    sentence: 'When several keep-alives stay unanswered the connection ends, and the program is told.',
    requirements: ['NOID-49', 'MUST-29'],
    judge(trace) {
      const { silent, call, closed } = look(trace);
      const distances = silent.length > 1 ? `, ${secondsText(gaps(silent))} apart` : '';
      const found = `${plural(silent.length, 'keep-alive')} without an answer${distances}`;
      if (closed === undefined && call === undefined)
        return inconclusive(`${found}; the run ended before the end`, silent);
      if (silent.length < 2) return fails(`${found}, and the connection ended`, [...silent, closed]);
      const told = needed(
        call,
        `${found}; the connection ended, and the program made no call that could tell it`,
      );
      const { result } = told;
      const errno =
        result.kind === 'error' ? result.errno : String(result.kind === 'ok' ? result.value : result.kind);
      return errno === 'ETIMEDOUT'
        ? passes(`${found}, then ${told.call} failed with ETIMEDOUT`, [...silent, told])
        : fails(`${found}, then ${told.call}: ${errno}`, [...silent, told]);
    },
    mutate: (trace) =>
      changeResults(trace, [needed(look(trace).call, 'the program was not told')], { kind: 'end' }),
  });
}
