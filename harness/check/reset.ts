/** RST: what a side makes of one that it is given, and what its program is told (RFC 9293 sections 3.5.3, 3.6, 3.10.7). */
import { NANOS_PER_MS } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { seqAdd } from '../segment/index.js';
import { fateOf, msBetween, segmentsOf, type TcpEvent, type Trace, transitionsOf } from '../trace/index.js';
import { addEvents, changeResults, changeSegments, changeTransitions } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, needed, neededSome, type Opinion, passes } from './define.js';
import { type GivenReset, resetsGiven } from './given-resets.js';
import {
  acknowledgment,
  callsOn,
  durationText,
  givenAtNs,
  givenTo,
  goesOnFor,
  isReset,
  plural,
  rcvNxt,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { REACTION_MS, STAMP_MS } from './tolerances.js';

const RESET_REQUIREMENTS: Readonly<Partial<Record<TcpState, readonly string[]>>> = {
  'SYN-SENT': ['NOID-08'],
  'SYN-RECEIVED': ['NOID-18', 'MUST-11'],
  ESTABLISHED: ['NOID-19', 'R5961-02'],
  'FIN-WAIT-1': ['NOID-19', 'R5961-02'],
  'FIN-WAIT-2': ['NOID-19', 'R5961-02'],
  'CLOSE-WAIT': ['NOID-19', 'R5961-02'],
  CLOSING: ['NOID-20'],
  'LAST-ACK': ['NOID-20'],
  'TIME-WAIT': ['NOID-20', 'R1337-05'],
};

/** A RST that stands where it must ends the connection, whatever the state. */
export function resetEnds(side: Side, state: TcpState, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const given = resetsGiven(trace, side, flow).filter((each) => each.place === 'exact');
    const found = needed(
      given.find((each) => each.state === state),
      `no RST at the number it expects reached the ${side} in ${state}` +
        (given[0] === undefined ? '' : ` (one came in ${given[0].state})`),
    );
    const next = transitionsOf(trace, side, { flow }).find(
      (transition) => transition.from === state && transition.atNs >= found.atNs - STAMP_MS * NANOS_PER_MS,
    );
    return { ...found, next };
  };
  return check({
    id: idOn(`reset-ends-${state.toLowerCase()}`, flow),
    sentence: `A RST that reaches the ${side} in ${state} at the number it expects ends the connection.`,
    requirements: RESET_REQUIREMENTS[state] ?? ['NOID-02'],
    judge: (trace) => judgeReset(trace, side, state, look(trace)),
    mutate(trace) {
      const { next } = look(trace);
      const wrong = state === 'ESTABLISHED' ? 'CLOSE-WAIT' : 'ESTABLISHED';
      return changeTransitions(trace, [needed(next, `the ${side} stayed in ${state}`)], () => ({
        to: wrong,
        certainty: 'exact',
      }));
    },
  });
}

function judgeReset(
  trace: Trace,
  side: Side,
  state: TcpState,
  given: GivenReset & { readonly next: ReturnType<typeof transitionsOf>[number] | undefined },
): Opinion {
  const { rst, atNs, next } = given;
  const isPassiveOpening = state === 'SYN-RECEIVED';
  if (next === undefined) {
    if (!goesOnFor(trace, atNs, REACTION_MS)) return inconclusive('the run ended with the RST', [rst]);
    // RFC 1337 F1, and Linux's tcp_rfc1337: a RST must not end TIME-WAIT before its time.
    if (state === 'TIME-WAIT') return informs('ignored in TIME-WAIT: the profile of RFC 1337', [rst]);
    return fails(`the ${side} stayed in ${state}`, [rst]);
  }
  const events = [rst, next];
  const afterMs = msBetween(atNs, next.notBeforeNs ?? next.atNs);
  if (state === 'TIME-WAIT' && afterMs > REACTION_MS)
    return informs(
      `ignored: TIME-WAIT went on for ${durationText(afterMs)}, the profile of RFC 1337`,
      events,
    );
  const isEnd = next.to === 'CLOSED' || (isPassiveOpening && next.to === 'LISTEN');
  if (!isEnd) return fails(`the ${side} went to ${next.to}`, events);
  if (afterMs > REACTION_MS)
    return fails(`${next.to} only ${durationText(afterMs)} after the RST came`, events);
  return passes(`${next.to} ${durationText(Math.max(0, msBetween(atNs, next)))} after the RST came`, events);
}

/** RFC 5961 answers a RST elsewhere in the window with a challenge ACK; RFC 793 lets it end the connection. */
export function inWindowResetProfile(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const { rst, atNs } = needed(
      resetsGiven(trace, side, flow).find(({ place }) => place === 'in the window'),
      `no RST elsewhere in the window reached the ${side}`,
    );
    const closed = transitionsOf(trace, side, { flow }).find(
      ({ to, notBeforeNs, ...event }) =>
        to === 'CLOSED' && event.atNs >= atNs && msBetween(atNs, notBeforeNs ?? event.atNs) <= REACTION_MS,
    );
    const challenge = acknowledgment(trace, {
      from: side,
      flow,
      relAck: 0,
      after: atNs,
      within: REACTION_MS,
    });
    return { rst, atNs, closed, challenge };
  };
  return check({
    id: idOn('in-window-reset', flow),
    sentence:
      'A RST elsewhere in the window draws a challenge ACK (RFC 5961) or ends the connection (RFC 793).',
    requirements: ['NOID-16', 'NOID-17', 'R5961-03'],
    judge(trace) {
      const { rst, atNs, closed, challenge } = look(trace);
      if (challenge !== undefined) {
        const next = rcvNxt(trace, side, flow, atNs);
        if (challenge.facts.relAck !== next)
          return fails(`the challenge ACK acknowledges ${challenge.facts.relAck}, not ${next}`, [
            rst,
            challenge,
          ]);
        return informs('a challenge ACK, and the connection goes on: the profile of RFC 5961', [
          rst,
          challenge,
        ]);
      }
      if (closed !== undefined) return informs('the connection ended: the profile of RFC 793', [rst, closed]);
      if (!goesOnFor(trace, atNs, REACTION_MS)) return inconclusive('the run ended with the RST', [rst]);
      return fails('neither a challenge ACK nor an end', [rst]);
    },
    mutate(trace) {
      const { challenge } = look(trace);
      return changeSegments(trace, [needed(challenge, 'there was no challenge ACK')], ({ ack }) => ({
        ack: seqAdd(ack, 1),
      }));
    },
  });
}

/** What a program is told by errno when its connection was reset; EPIPE once the other side's FIN had come (Linux). */
const RESET_ERRNOS = ['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ECONNREFUSED'];

/** The program learns that the connection was aborted, and does not take it for a close (MUST-12, the other half). */
export function resetTold(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const given = needed(resetsGiven(trace, side, flow)[0], `no RST reached the ${side}`);
    const calls = callsOn(trace, side, flow).filter(
      ({ call, returnedNs, result }) =>
        ['receive', 'send', 'connect', 'error'].includes(call) &&
        returnedNs >= given.atNs - STAMP_MS * NANOS_PER_MS &&
        (result.kind === 'error' || result.kind === 'end' || call === 'error'),
    );
    return { ...given, call: needed(calls[0], `the program of the ${side} made no call that could tell it`) };
  };
  return check({
    id: idOn(`${side}-told-of-reset`, flow),
    sentence: `The program at the ${side} is told of a RST as an error, and not as the end of the stream.`,
    requirements: ['MUST-12', 'NOID-19'],
    judge(trace) {
      const { rst, call } = look(trace);
      const { result } = call;
      const events = [rst, call];
      const errno =
        result.kind === 'error' ? result.errno : result.kind === 'ok' ? String(result.value) : undefined;
      if (errno !== undefined && RESET_ERRNOS.includes(errno))
        return passes(`${call.call} failed with ${errno}`, events);
      return fails(
        result.kind === 'end'
          ? `${call.call} returned the end of the stream, as if it had been closed`
          : `${call.call} gave ${errno}`,
        events,
      );
    },
    mutate: (trace) => changeResults(trace, [look(trace).call], { kind: 'end' }),
  });
}

/** The program that connects is told at once that it was refused. */
export function refusalTold(side: Side = 'client', { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const given = needed(resetsGiven(trace, side, flow)[0], `no RST reached the ${side}`);
    const call = needed(
      callsOn(trace, side, flow, { call: 'connect' })[0],
      `the ${side} made no connect call`,
    );
    return { ...given, call };
  };
  return check({
    id: idOn('refusal-told', flow),
    sentence:
      'A RST with the right acknowledgment ends the opening: the program is told that it was refused.',
    requirements: ['NOID-08', 'MUST-12'],
    judge(trace) {
      const { rst, place, call, atNs } = look(trace);
      if (place !== 'exact') return inconclusive('the RST did not acknowledge the SYN', [rst]);
      const { result } = call;
      const errno = result.kind === 'error' ? result.errno : result.kind;
      const found = `connect: ${errno}, ${durationText(msBetween(atNs, call.returnedNs))} after the RST came`;
      return errno === 'ECONNREFUSED' || errno === 'ECONNRESET'
        ? passes(found, [rst, call])
        : fails(found, [rst, call]);
    },
    mutate: (trace) => changeResults(trace, [look(trace).call], { kind: 'error', errno: 'ETIMEDOUT' }),
  });
}

/** Nothing answers a RST: not a listener, not a closed port, not a connection that it does not fit (NOID-02, NOID-13). */
export function resetsNotAnswered(): Check {
  /** A RST sent so soon after one was given, with nothing else given in between, answers it. */
  const answered = (trace: Trace): readonly TcpEvent[] | undefined => {
    for (const rst of segmentsOf(trace, { role: 'rst', origin: 'endpoint' })) {
      const { from, flow } = rst.facts;
      const last = givenTo(trace, from, flow).findLast((event) => givenAtNs(event) <= rst.atNs);
      const aborted = callsOn(trace, from, flow).some(
        ({ call, atNs }) =>
          ['abort', 'close', 'shutdown'].includes(call) &&
          last !== undefined &&
          atNs >= givenAtNs(last) - STAMP_MS * NANOS_PER_MS,
      );
      if (
        last !== undefined &&
        isReset(last) &&
        !aborted &&
        rst.atNs - givenAtNs(last) < STAMP_MS * NANOS_PER_MS
      )
        return [last, rst];
    }
    return undefined;
  };
  const given = (trace: Trace) =>
    segmentsOf(trace, { role: 'rst' }).filter((event) => fateOf(event) === 'delivered');
  return check({
    id: 'resets-not-answered',
    sentence: 'A RST is never answered with a RST.',
    requirements: ['NOID-02', 'NOID-13'],
    judge(trace) {
      const all = given(trace);
      if (all.length === 0) return informs('there was no RST');
      const pair = answered(trace);
      return pair === undefined
        ? passes(`${plural(all.length, 'RST')}, none answered`, all)
        : fails('a RST was answered with a RST', pair);
    },
    mutate(trace) {
      const [rst] = neededSome(given(trace), 'there was no RST');
      const from = otherSide(rst.facts.from);
      const atNs = givenAtNs(rst) + 1000;
      const deliveries = [{ atNs: atNs + 1000, to: rst.facts.from }];
      const facts = { ...rst.facts, from };
      const answer: TcpEvent = { ...rst, from, origin: 'endpoint', atNs, deliveries, facts };
      const quiet = { ...trace, events: trace.events.filter((event) => event.kind !== 'call') };
      return changeSegments(addEvents(quiet, answer), [answer], ({ ip, srcPort, dstPort }) => ({
        ip: { ...ip, src: ip.dst, dst: ip.src },
        srcPort: dstPort,
        dstPort: srcPort,
      }));
    },
  });
}
