/** Closing: the FINs, their ACKs, and what still flows between them (RFC 9293 section 3.6). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { FLAG, seqAdd } from '../segment/index.js';
import { deliveredAtNs, firstSegment, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeResults, changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, NotShown, needed, neededSome, passes } from './define.js';
import {
  acknowledgment,
  callsOn,
  durationText,
  endOf,
  flowsOf,
  givenAtNs,
  goesOnFor,
  isReset,
  isStack,
  sentBy,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ANSWERED_WITHIN_MS } from './tolerances.js';

interface CloseSegments {
  readonly activeFin: TcpEvent;
  readonly activeFinAck: TcpEvent;
  readonly passiveFin: TcpEvent;
  readonly finalAck: TcpEvent;
}

/** The segments of a close that one side began. The first copy of each that is in the trace. */
function closeSegments(trace: Trace, flow: number): CloseSegments {
  const pick = (role: 'active-fin' | 'active-fin-ack' | 'passive-fin' | 'final-ack') =>
    needed(firstSegment(trace, { flow, role }), `there was no ${role}`);
  return {
    activeFin: pick('active-fin'),
    activeFinAck: pick('active-fin-ack'),
    passiveFin: pick('passive-fin'),
    finalAck: pick('final-ack'),
  };
}

/** The numbers of a close, each as it must be; the first that is not, in words. */
function wrongNumber(close: CloseSegments): { text: string; event: TcpEvent } | undefined {
  const { activeFin, activeFinAck, passiveFin, finalAck } = close;
  const rows: readonly [TcpEvent, string, number | undefined, number][] = [
    [activeFinAck, 'the ACK of the first FIN acknowledges', activeFinAck.facts.relAck, endOf(activeFin)],
    [passiveFin, 'the second FIN acknowledges', passiveFin.facts.relAck, endOf(activeFin)],
    [finalAck, 'the final ACK acknowledges', finalAck.facts.relAck, endOf(passiveFin)],
    [finalAck, 'the final ACK stands at', finalAck.facts.relSeq, endOf(activeFin)],
  ];
  const wrong = rows.find(([event, , is, should]) => event.origin === 'endpoint' && is !== should);
  if (wrong === undefined) return undefined;
  const [event, what, is, should] = wrong;
  return { event, text: `${what} ${is}, not ${should}` };
}

const misplaced = (trace: Trace, flow: number): Trace =>
  changeSegments(trace, [closeSegments(trace, flow).finalAck], ({ ack }) => ({ ack: seqAdd(ack, -1) }));

export function fourSegmentClose({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('four-segment-close', flow),
    sentence:
      'A FIN is acknowledged by itself while the other program has not closed, and the second FIN comes later.',
    requirements: ['NOID-32', 'NOID-34', 'NOID-41', 'MUST-40'],
    judge(trace) {
      const close = closeSegments(trace, flow);
      const { activeFin, activeFinAck, passiveFin, finalAck } = close;
      const events = [activeFin, activeFinAck, passiveFin, finalAck];
      const wrong = wrongNumber(close);
      if (wrong !== undefined) return fails(wrong.text, [wrong.event]);
      if (activeFinAck !== passiveFin) return passes('FIN, ACK, FIN, ACK: four segments', events);
      const waitedMs = (passiveFin.atNs - givenAtNs(activeFin)) / NANOS_PER_MS;
      const found = `the ACK of the first FIN came with the second, ${durationText(waitedMs)} after it`;
      return waitedMs > ANSWERED_WITHIN_MS ? fails(found, events) : inconclusive(found, events);
    },
    mutate: (trace) => misplaced(trace, flow),
  });
}

/** Without a flow, the first connection that closed so: a scenario may need several attempts. */
export function threeSegmentClose({ flow }: OnFlow = {}): Check {
  const flowOf = (trace: Trace): number =>
    flow ??
    flowsOf(trace).find((each) => {
      const fin = firstSegment(trace, { flow: each, role: 'passive-fin' });
      return fin?.facts.roles.includes('active-fin-ack');
    }) ??
    1;
  return check({
    id: idOn('three-segment-close', flow ?? 1),
    sentence:
      'The ACK of the first FIN and the second FIN may be one segment; its numbers are those of both.',
    requirements: ['NOID-32', 'NOID-41'],
    judge(trace) {
      const close = closeSegments(trace, flowOf(trace));
      const { activeFin, activeFinAck, passiveFin, finalAck } = close;
      const events = [activeFin, activeFinAck, passiveFin, finalAck];
      const wrong = wrongNumber(close);
      if (wrong !== undefined) return fails(wrong.text, [wrong.event]);
      return activeFinAck === passiveFin
        ? passes('FIN, FIN with ACK, ACK: three segments', events)
        : informs('the ACK of the first FIN went out by itself: four segments', events);
    },
    mutate: (trace) => misplaced(trace, flowOf(trace)),
  });
}

/** Data that reached the first closer after the other side was given its FIN. */
function lateData(
  trace: Trace,
  flow: number,
): { closer: Side; fin: TcpEvent; data: readonly [TcpEvent, ...TcpEvent[]] } {
  const fin = needed(
    firstSegment(trace, { flow, role: 'active-fin', fate: 'delivered' }),
    'no FIN reached the other side',
  );
  const closer = fin.facts.from;
  const givenNs = needed(deliveredAtNs(fin), 'the FIN was not delivered');
  const data = neededSome(
    segmentsOf(trace, { flow, from: otherSide(closer), data: true, fate: 'delivered', after: givenNs }),
    'the other side sent no data after it was given the FIN',
  );
  if (!isStack(trace, closer)) throw new NotShown('the first closer is a scripted peer');
  return { closer, fin, data };
}

export function halfCloseDelivers({ flow = 1 }: OnFlow = {}): Check {
  const acknowledges = (trace: Trace, closer: Side, data: readonly TcpEvent[]) => {
    const last = data.reduce((a, b) => (endOf(b) > endOf(a) ? b : a));
    return {
      last,
      ack: acknowledgment(trace, { from: closer, flow, relAck: endOf(last), after: givenAtNs(last) }),
    };
  };
  return check({
    id: idOn('half-close-delivers', flow),
    sentence:
      'A side that has sent its FIN still receives: data of the other side is acknowledged and delivered.',
    requirements: ['NOID-28', 'NOID-40'],
    judge(trace) {
      const { closer, fin, data } = lateData(trace, flow);
      const { last, ack } = acknowledges(trace, closer, data);
      const reset = sentBy(trace, closer, flow).find(
        (event) => isReset(event) && event.atNs > givenAtNs(data[0]),
      );
      if (reset !== undefined && ack === undefined)
        return fails(`the ${closer} answered data after its FIN with a RST`, [fin, ...data, reset]);
      if (ack === undefined)
        return goesOnFor(trace, givenAtNs(last), ANSWERED_WITHIN_MS)
          ? fails(`the ${closer} did not acknowledge data after its FIN`, [fin, ...data])
          : inconclusive('the run ended before the data could be acknowledged', [fin, ...data]);
      const octets = data.reduce((sum, event) => sum + event.segment.payload.length, 0);
      const read = callsOn(trace, closer, flow, { call: 'receive' }).filter(
        (call) => call.returnedNs >= givenAtNs(data[0]),
      );
      const bad = read.find(({ result }) => result.kind !== 'data' && result.kind !== 'timeout');
      const isRead = read.some(({ result }) => result.kind === 'data');
      if (bad !== undefined && !isRead)
        return fails(`${octets} octets came after the FIN, and the program read none of them`, [
          fin,
          ...data,
          bad,
        ]);
      const told = isRead ? 'acknowledged and read' : 'acknowledged (the program did not read)';
      return passes(`${octets} octets after the ${closer}'s FIN, ${told}`, [fin, ...data, ack]);
    },
    mutate(trace) {
      const { closer, data } = lateData(trace, flow);
      const reads = callsOn(trace, closer, flow, { call: 'receive', result: 'data' });
      const late = reads.filter((call) => call.returnedNs >= givenAtNs(data[0]));
      if (late.length > 0) return changeResults(trace, late, { kind: 'end' });
      const acks = sentBy(trace, closer, flow).filter((event) => event.atNs >= givenAtNs(data[0]));
      return changeSegments(trace, acks.slice(0, 1), () => ({
        flags: FLAG.RST,
        ack: seqAdd(data[0].segment.seq, 0),
      }));
    },
  });
}

/** A program that reads learns of a FIN as the end of the stream, and not as an error (MUST-12, the friendly half). */
export function closeToldAsEnd(side: Side, { flow = 1 }: OnFlow = {}): Check {
  const reads = (trace: Trace) => {
    const fin = needed(
      segmentsOf(trace, { flow, from: otherSide(side), has: 'FIN', fate: 'delivered' })[0],
      `no FIN reached the ${side}`,
    );
    const calls = callsOn(trace, side, flow, { call: 'receive' }).filter(
      ({ returnedNs, result }) =>
        returnedNs >= givenAtNs(fin) && result.kind !== 'data' && result.kind !== 'timeout',
    );
    return { fin, call: needed(calls[0], `the program of the ${side} did not read up to the end`) };
  };
  return check({
    id: idOn(`${side}-told-of-close`, flow),
    sentence: `The program at the ${side} is told of a FIN as the end of the stream, and not as a reset.`,
    requirements: ['MUST-12', 'NOID-32'],
    judge(trace) {
      const { fin, call } = reads(trace);
      const reset = firstSegment(trace, { flow, role: 'rst', fate: 'delivered', before: call.returnedNs });
      if (reset !== undefined) return inconclusive('there was a RST as well', [reset]);
      const { result } = call;
      if (result.kind === 'end') return passes('receive returned the end of the stream', [fin, call]);
      return fails(`receive failed with ${result.kind === 'error' ? result.errno : result.kind}`, [
        fin,
        call,
      ]);
    },
    mutate: (trace) => changeResults(trace, [reads(trace).call], { kind: 'error', errno: 'ECONNRESET' }),
  });
}
