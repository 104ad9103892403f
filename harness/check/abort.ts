/** Sending RST: refusing where nobody listens, aborting, and closing on data that nobody will read (RFC 9293 3.5.2, 3.6.1, 3.10.5). */
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { FLAG, hasFlags, seqAdd, seqNumber } from '../segment/index.js';
import { endNs, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { addEvents, changeSegments, removeEvents } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, nonStrict, passes } from './define.js';
import { stateBefore } from './given-resets.js';
import {
  callsOn,
  endOf,
  givenAtNs,
  givenTo,
  goesOnFor,
  isReset,
  plural,
  rcvNxt,
  sentBy,
  sndNxt,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { REACTION_MS } from './tolerances.js';

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
      const rst = needed(look(trace).answer, `the ${side} did not answer`);
      const later = { kind: 'mark', atNs: endNs(trace) + 5e9, text: 'silence' } as const;
      return addEvents(removeEvents(trace, [rst]), later);
    },
  });
}
