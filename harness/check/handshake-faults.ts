/** What a handshake makes of loss, delay, and data in unusual places (RFC 9293 section 3.5). */
import type { CallRecord } from '../endpoint/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { FLAG } from '../segment/index.js';
import {
  connectionOf,
  endNs,
  fateOf,
  msBetween,
  segmentsOf,
  type TcpEvent,
  type Trace,
} from '../trace/index.js';
import { addEvents, changeSegments, removeEvents } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, neededSome, passes } from './define.js';
import {
  acknowledgment,
  callsOn,
  copiesOf,
  durationText,
  endOf,
  flowsOf,
  givenAtNs,
  givenTo,
  goesOnFor,
  isBehind,
  isReset,
  isStack,
  plural,
  sentBy,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ACK_DELAY_MS, REACTION_MS, WAKE_UP_LATE_MS } from './tolerances.js';

const ANSWERED_WITHIN_MS = ACK_DELAY_MS + WAKE_UP_LATE_MS;

/** The passive side's acknowledgment of data and what its program read: whether the data was taken. */
function taking(trace: Trace, data: TcpEvent): { ack: TcpEvent | undefined; read: CallRecord | undefined } {
  const { flow, from } = data.facts;
  const receiver = otherSide(from);
  return {
    ack: acknowledgment(trace, { from: receiver, flow, relAck: endOf(data), after: givenAtNs(data) }),
    read: callsOn(trace, receiver, flow, { call: 'receive', result: 'data' }).find(
      ({ returnedNs }) => returnedNs >= givenAtNs(data) - trace.alignment.segmentsErrorNs,
    ),
  };
}

const takenText = (trace: Trace, data: TcpEvent): string => {
  const { ack, read } = taking(trace, data);
  const parts = [
    ack === undefined ? '' : `acknowledged after ${durationText(msBetween(givenAtNs(data), ack))}`,
    read === undefined ? '' : 'read by the program',
  ];
  return parts.filter((part) => part !== '').join(' and ');
};

/** Without a flow, the first connection whose third segment carries data. */
export function dataOnThirdSegment({ flow }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const thirds = (flow === undefined ? flowsOf(trace) : [flow]).flatMap((each) =>
      copiesOf(trace, 'handshake-ack', { flow: each }).filter(
        (event) => event.segment.payload.length > 0 && fateOf(event) === 'delivered',
      ),
    );
    const third = needed(thirds[0], 'no third segment with data arrived');
    if (!isStack(trace, otherSide(third.facts.from))) throw new NotShown('it went to a scripted peer');
    return third;
  };
  return check({
    id: idOn('data-on-third-segment', flow ?? 1),
    sentence: 'Data on the third segment of the handshake is accepted.',
    requirements: ['NOID-24', 'NOID-09'],
    judge(trace) {
      const third = look(trace);
      const { ack, read } = taking(trace, third);
      const found = `${plural(third.segment.payload.length, 'octet')} on the third segment`;
      if (ack !== undefined) return passes(`${found}, ${takenText(trace, third)}`, [third, ack, read]);
      const rst = sentBy(trace, otherSide(third.facts.from), third.facts.flow).find(
        (event) => isReset(event) && isBehind(event, third),
      );
      if (rst !== undefined) return fails(`${found} drew a RST`, [third, rst]);
      return goesOnFor(trace, givenAtNs(third), ANSWERED_WITHIN_MS)
        ? fails(`${found} was not acknowledged`, [third])
        : inconclusive('the run ended before the data could be acknowledged', [third]);
    },
    mutate(trace) {
      const { ack } = taking(trace, look(trace));
      const answer = needed(ack, 'the data was not acknowledged');
      const others = sentBy(trace, answer.facts.from, answer.facts.flow).filter(
        (event) => event.atNs > answer.atNs,
      );
      return changeSegments(removeEvents(trace, others), [answer], () => ({ flags: FLAG.RST }));
    },
  });
}

/** When a side that opened passively was seen to be established: by its state, its program, or an ACK of data. */
function establishedEvidence(trace: Trace, side: Side, flow: number) {
  const state = connectionOf(trace, side, { flow })?.transitions.find(({ to }) => to === 'ESTABLISHED');
  const data = segmentsOf(trace, { from: otherSide(side), flow, data: true, fate: 'delivered' })[0];
  return state ?? (data === undefined ? undefined : taking(trace, data).ack);
}

/** The lost third segment, the SYN,ACKs that asked for it again, and what reached the passive side in the end. */
function handshakeLoss(trace: Trace, flow: number) {
  const [lost] = neededSome(copiesOf(trace, 'handshake-ack', { flow }), 'nobody sent the third segment');
  if (fateOf(lost) !== 'dropped') throw new NotShown('the third segment was not lost');
  const opener = lost.facts.from;
  const passive = otherSide(opener);
  const repair = givenTo(trace, passive, flow).find(
    (event) =>
      isBehind(event, lost) &&
      !isReset(event) &&
      (event.facts.relAck ?? 0) >= 1 &&
      (event.facts.relSeq ?? 0) >= 1,
  );
  const asked = copiesOf(trace, 'syn-ack', { flow, from: passive }).filter(
    (event) => isBehind(event, lost) && fateOf(event) === 'delivered',
  );
  return { lost, opener, passive, repair, asked };
}

type HandshakeLoss = ReturnType<typeof handshakeLoss>;

const isUnanswered = (trace: Trace, opener: Side, synAck: TcpEvent): boolean =>
  goesOnFor(trace, givenAtNs(synAck), ANSWERED_WITHIN_MS) &&
  acknowledgment(trace, {
    from: opener,
    flow: synAck.facts.flow,
    relAck: 1,
    after: givenAtNs(synAck),
    within: ANSWERED_WITHIN_MS,
  }) === undefined;

function repairText({ lost, repair, asked }: HandshakeLoss): string {
  if (repair === undefined) return '';
  const isAsked = asked.some((event) => givenAtNs(event) <= repair.atNs);
  const answer = isAsked ? 'by the answer to another SYN,ACK' : 'by another ACK';
  const how = repair.segment.payload.length > 0 ? 'by data' : answer;
  return `repaired ${how} ${durationText(msBetween(lost, repair))} after the loss`;
}

export function lostHandshakeAckRepaired({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('lost-handshake-ack-repaired', flow),
    sentence:
      'When the third segment is lost, data or the answer to another SYN,ACK completes the handshake.',
    requirements: ['NOID-24', 'NOID-48', 'NOID-13'],
    judge(trace) {
      const loss = handshakeLoss(trace, flow);
      const { lost, opener, passive, repair, asked } = loss;
      const unanswered = asked.find((event) => isUnanswered(trace, opener, event));
      if (isStack(trace, opener) && unanswered !== undefined)
        return fails(`the ${opener} did not answer the SYN,ACK that came again`, [lost, unanswered]);
      if (repair === undefined)
        return inconclusive(`nothing reached the ${passive} after the loss`, [lost, ...asked]);
      const proof = establishedEvidence(trace, passive, flow);
      if (proof !== undefined && proof.atNs >= lost.atNs)
        return passes(repairText(loss), [lost, ...asked, repair, proof]);
      const rst = sentBy(trace, passive, flow).find((event) => isReset(event) && isBehind(event, repair));
      if (rst !== undefined) return fails(`the ${passive} answered with a RST`, [lost, repair, rst]);
      return goesOnFor(trace, givenAtNs(repair), ANSWERED_WITHIN_MS)
        ? fails(`the ${passive} was given an ACK of its SYN,ACK and was not established`, [lost, repair])
        : inconclusive('the run ended before that could be seen', [lost, repair]);
    },
    mutate(trace) {
      const { passive, repair } = handshakeLoss(trace, flow);
      const last = needed(repair, 'nothing repaired the loss');
      // The passive side neither changes its state nor says anything more.
      const states = connectionOf(trace, passive, { flow })?.transitions ?? [];
      const said = sentBy(trace, passive, flow).filter((event) => isBehind(event, last));
      const silence = { kind: 'mark', atNs: endNs(trace) + 5e9, text: 'silence' } as const;
      return addEvents(removeEvents(trace, [...states, ...said]), silence);
    },
  });
}

/** Data overtakes the third segment; its ACK completes the handshake, and the late third segment does no harm. */
export function dataBeforeHandshakeAck({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const [third] = neededSome(copiesOf(trace, 'handshake-ack', { flow }), 'nobody sent the third segment');
    const data = needed(
      segmentsOf(trace, { from: third.facts.from, flow, data: true, fate: 'delivered' }).find(
        (event) => event !== third && givenAtNs(event) < givenAtNs(third),
      ),
      'no data arrived before the third segment',
    );
    const passive = otherSide(third.facts.from);
    if (!isStack(trace, passive)) throw new NotShown(`the ${passive} is a scripted peer`);
    return { third, data, passive, isLate: fateOf(third) === 'delivered' };
  };
  return check({
    id: idOn('data-before-handshake-ack', flow),
    sentence: 'Data that overtakes the handshake ACK is accepted, and the late ACK changes nothing.',
    requirements: ['NOID-24', 'NOID-25'],
    judge(trace) {
      const { third, data, passive, isLate } = look(trace);
      const { ack, read } = taking(trace, data);
      const rst = sentBy(trace, passive, flow).find((event) => isReset(event) && isBehind(event, data));
      if (
        rst !== undefined &&
        (ack === undefined ||
          (isLate && msBetween(givenAtNs(third), rst) < REACTION_MS && msBetween(givenAtNs(third), rst) >= 0))
      )
        return fails(`the ${passive} sent a RST`, [data, third, rst]);
      if (ack === undefined)
        return goesOnFor(trace, givenAtNs(data), ANSWERED_WITHIN_MS)
          ? fails('the data was not acknowledged', [data])
          : inconclusive('the run ended before the data could be acknowledged', [data]);
      const late = isLate
        ? `${durationText(msBetween(givenAtNs(data), givenAtNs(third)))} before the ACK`
        : 'and no ACK';
      return passes(`data came ${late}, ${takenText(trace, data)}`, [data, third, ack, read]);
    },
    mutate(trace) {
      const { data } = look(trace);
      const answer = needed(taking(trace, data).ack, 'the data was not acknowledged');
      const others = sentBy(trace, answer.facts.from, flow).filter((event) => event.atNs > answer.atNs);
      return changeSegments(removeEvents(trace, others), [answer], () => ({ flags: FLAG.RST }));
    },
  });
}
