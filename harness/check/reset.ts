/** RST: refusing, aborting, and what a side makes of one that it is given (RFC 9293 sections 3.5.2, 3.5.3, 3.10.7). */
import { NANOS_PER_MS } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { FLAG, hasFlags, seqAdd, seqNumber } from '../segment/index.js';
import {
  fateOf,
  firstSegment,
  msBetween,
  segmentsOf,
  stateAt,
  type TcpEvent,
  type Trace,
  transitionsOf,
} from '../trace/index.js';
import { addEvents, changeResults, changeSegments, changeTransitions } from './alter.js';
import type { Check } from './check.js';
import {
  check,
  fails,
  inconclusive,
  informs,
  NotShown,
  needed,
  neededSome,
  nonStrict,
  type Opinion,
  passes,
} from './define.js';
import {
  acknowledgment,
  callsOn,
  durationText,
  endOf,
  givenAtNs,
  givenTo,
  goesOnFor,
  isReset,
  isStack,
  plural,
  rcvNxt,
  sentBy,
  sndNxt,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { REACTION_MS, STAMP_MS } from './tolerances.js';

/** RSTs that a side was given, with where they stood in its window. */
interface GivenReset {
  readonly rst: TcpEvent;
  readonly atNs: number;
  readonly place: 'exact' | 'in the window' | 'outside the window';
  readonly state: TcpState | undefined;
}

function resetsGiven(trace: Trace, side: Side, flow: number): readonly GivenReset[] {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  return givenTo(trace, side, flow)
    .filter(isReset)
    .map((rst) => {
      const atNs = givenAtNs(rst);
      return {
        rst,
        atNs,
        place: placeOf(trace, rst, side, flow),
        state: stateBefore(trace, side, flow, atNs),
      };
    });
}

/** The state that a segment met. A change that it caused itself may bear an earlier stamp than its delivery. */
function stateBefore(trace: Trace, side: Side, flow: number, atNs: number): TcpState | undefined {
  const slackNs = STAMP_MS * NANOS_PER_MS;
  const next = transitionsOf(trace, side, { flow }).find(
    (transition) => transition.to === 'CLOSED' && Math.abs(transition.atNs - atNs) <= slackNs,
  );
  return next?.from ?? stateAt(trace, side, atNs, { flow });
}

/** RFC 9293 section 3.10.7.4, first check. In SYN-SENT (3.10.7.3) it is the acknowledgment that must fit. */
function placeOf(trace: Trace, rst: TcpEvent, side: Side, flow: number): GivenReset['place'] {
  const atNs = givenAtNs(rst);
  const { relSeq, relAck } = rst.facts;
  const opened = givenTo(trace, side, flow).some(
    (event) => givenAtNs(event) < atNs && hasFlags(event.segment, FLAG.SYN),
  );
  if (!opened) return relAck === sndNxt(trace, side, flow, atNs) ? 'exact' : 'outside the window';
  const next = rcvNxt(trace, side, flow, atNs);
  if (relSeq === undefined) return 'outside the window';
  if (relSeq === next) return 'exact';
  const edge = sentBy(trace, side, flow)
    .filter((event) => event.atNs < atNs && event.facts.relAck !== undefined && !isReset(event))
    .reduce((right, { facts }) => Math.max(right, (facts.relAck ?? 0) + facts.windowOctets), next);
  return relSeq > next && relSeq < edge ? 'in the window' : 'outside the window';
}

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

/** The first segment that reached a side without a socket for it, and the RST that it drew. */
function refused(trace: Trace, side: Side, flow: number): { segment: TcpEvent; rst: TcpEvent | undefined } {
  const segment = needed(
    givenTo(trace, side, flow).find((event) => !isReset(event)),
    `nothing reached the ${side}`,
  );
  const answers = sentBy(trace, side, flow);
  if (answers.some((event) => !isReset(event))) throw new NotShown(`the ${side} took part in the connection`);
  return { segment, rst: answers[0] };
}

export function closedPortRefuses(side: Side = 'server', { flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('closed-port-refuses', flow),
    sentence: 'Where no program listens, a segment draws a RST whose numbers fit it.',
    requirements: ['NOID-01'],
    judge(trace) {
      const { segment, rst } = refused(trace, side, flow);
      if (rst === undefined)
        return goesOnFor(trace, givenAtNs(segment), REACTION_MS)
          ? fails(`the ${side} did not answer`, [segment])
          : inconclusive('the run ended before an answer was due', [segment]);
      const { seq, ack, flags } = segment.segment;
      const isAck = (flags & FLAG.ACK) !== 0;
      // RFC 9293 section 3.10.7.1: <SEQ=SEG.ACK><CTL=RST> for an ACK, else <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>.
      const wantedSeq = isAck ? ack : 0;
      const wantedAck = isAck ? undefined : seqAdd(seq, segment.facts.len);
      const hasAck = hasFlags(rst.segment, FLAG.ACK);
      if (rst.segment.seq !== wantedSeq)
        return fails(`the RST has seq ${rst.segment.seq}, not ${wantedSeq}`, [segment, rst]);
      if (isAck)
        return hasAck
          ? fails('the RST has an ACK bit', [segment, rst])
          : passes('RST with seq=SEG.ACK', [segment, rst]);
      if (!hasAck || rst.segment.ack !== wantedAck)
        return fails(`the RST acknowledges ${hasAck ? rst.segment.ack : 'nothing'}, not ${wantedAck}`, [
          segment,
          rst,
        ]);
      return passes(`RST with seq=0 and ack=SEG.SEQ+${segment.facts.len}`, [segment, rst]);
    },
    mutate(trace) {
      const rst = needed(refused(trace, side, flow).rst, `the ${side} did not answer`);
      return changeSegments(trace, [rst], ({ seq }) => ({ seq: seqNumber(seq + 1) }));
    },
  });
}

const ABORTABLE: readonly (TcpState | undefined)[] = [
  undefined,
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
];

export function abortSendsReset(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const call = needed(callsOn(trace, side, flow, { call: 'abort' })[0], `the ${side} did not abort`);
    const state = stateBefore(trace, side, flow, call.atNs);
    if (!ABORTABLE.includes(state))
      throw new NotShown(`the ${side} aborted in ${state}, where no RST is due`);
    const slackNs = trace.alignment.segmentsErrorNs;
    const rst = segmentsOf(trace, { from: side, flow, role: 'rst', after: call.atNs - slackNs })[0];
    return { call, state, rst };
  };
  return check({
    id: idOn(`${side}-abort-sends-reset`, flow),
    sentence: 'ABORT sends a RST at the next sequence number (SND.NXT).',
    requirements: ['NOID-43'],
    judge(trace) {
      const { call, state, rst } = look(trace);
      if (rst === undefined)
        return goesOnFor(trace, call, REACTION_MS)
          ? fails(`the ${side} aborted in ${state} and sent no RST`, [call])
          : inconclusive('the run ended with the abort', [call]);
      const next = sndNxt(trace, side, flow, rst);
      const found = `RST at seq=${rst.facts.relSeq}, SND.NXT=${next}`;
      return rst.facts.relSeq === next ? passes(found, [call, rst]) : fails(found, [call, rst]);
    },
    mutate(trace) {
      const rst = needed(look(trace).rst, `the ${side} sent no RST`);
      return changeSegments(trace, [rst], ({ seq }) => ({ seq: seqAdd(seq, 1) }));
    },
  });
}

export function unreadDataResets(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const call = needed(callsOn(trace, side, flow, { call: 'close' })[0], `the ${side} did not close`);
    const given = givenTo(trace, side, flow).filter((event) => givenAtNs(event) < call.atNs);
    const isSyn = given.some(({ segment }) => hasFlags(segment, FLAG.SYN));
    const isFin = given.some(({ segment }) => hasFlags(segment, FLAG.FIN));
    const octets = rcvNxt(trace, side, flow, call) - (isSyn ? 1 : 0) - (isFin ? 1 : 0);
    const read = callsOn(trace, side, flow, { call: 'receive', result: 'data' })
      .filter(({ args, returnedNs }) => returnedNs <= call.atNs && !String(args.flags ?? '').includes('PEEK'))
      .reduce((sum, { result }) => sum + (result.kind === 'data' ? result.octets : 0), 0);
    if (octets - read <= 0) throw new NotShown(`the ${side} had read everything when it closed`);
    const slackNs = trace.alignment.segmentsErrorNs;
    const answer = segmentsOf(trace, { from: side, flow, after: call.atNs - slackNs }).find(
      ({ segment }) => (segment.flags & (FLAG.FIN | FLAG.RST)) !== 0,
    );
    return { call, unread: octets - read, answer };
  };
  return check({
    id: idOn(`${side}-close-with-unread-data-resets`, flow),
    sentence:
      'A program that closes without having read all data resets the connection, so that the other side knows.',
    requirements: ['SHLD-3'],
    judge(trace) {
      const { call, unread, answer } = look(trace);
      const found = `closed with ${plural(unread, 'octet')} unread`;
      if (answer === undefined)
        return goesOnFor(trace, call, REACTION_MS)
          ? nonStrict(`${found}: no RST followed`, [call])
          : inconclusive('the run ended with the close', [call]);
      return isReset(answer)
        ? passes(`${found}: a RST followed`, [call, answer])
        : nonStrict(`${found}: a FIN followed`, [call, answer]);
    },
    mutate(trace) {
      const answer = needed(look(trace).answer, `the ${side} sent nothing after its close`);
      return changeSegments(trace, [answer], () => ({ flags: FLAG.FIN | FLAG.ACK }));
    },
  });
}

export function dataAfterCloseResets(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const call = needed(callsOn(trace, side, flow, { call: 'close' })[0], `the ${side} did not close`);
    const data = needed(
      givenTo(trace, side, flow).find(
        (event) => event.segment.payload.length > 0 && givenAtNs(event) > call.returnedNs,
      ),
      `no data reached the ${side} after its close`,
    );
    const answer = segmentsOf(trace, {
      from: side,
      flow,
      after: givenAtNs(data) - trace.alignment.segmentsErrorNs,
    }).find((event) => isReset(event) || (event.facts.relAck ?? 0) >= endOf(data));
    return { call, data, answer };
  };
  return check({
    id: idOn(`${side}-data-after-close-resets`, flow),
    sentence: 'Data that comes after the program has closed draws a RST: nobody will read it.',
    requirements: ['SHLD-3', 'MAY-1'],
    judge(trace) {
      const { call, data, answer } = look(trace);
      if (answer !== undefined && isReset(answer))
        return passes(`${data.segment.payload.length} octets after the close drew a RST`, [
          call,
          data,
          answer,
        ]);
      if (answer !== undefined) return nonStrict('the data was acknowledged', [call, data, answer]);
      return goesOnFor(trace, givenAtNs(data), REACTION_MS)
        ? nonStrict('the data was not answered', [call, data])
        : inconclusive('the run ended with the data', [call, data]);
    },
    mutate(trace) {
      const { data, answer } = look(trace);
      const rst = needed(answer, `the ${side} did not answer`);
      return changeSegments(trace, [rst], () => ({
        flags: FLAG.ACK,
        ack: seqAdd(data.segment.seq, data.facts.len),
      }));
    },
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
      const side = otherSide(rst.facts.from);
      const own = needed(
        firstSegment(trace, { from: side, flow: rst.facts.flow, origin: 'endpoint' }),
        `the ${side} sent nothing`,
      );
      const atNs = givenAtNs(rst) + 1000;
      const deliveries = [{ atNs: atNs + 1000, to: rst.facts.from }];
      const answer = { ...own, atNs, deliveries, facts: { ...own.facts, roles: ['rst' as const] } };
      const quiet = { ...trace, events: trace.events.filter((event) => event.kind !== 'call') };
      return changeSegments(addEvents(quiet, answer), [answer], () => ({ flags: FLAG.RST }));
    },
  });
}
