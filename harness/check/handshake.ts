/** The handshake's numbers: what each of its three segments acknowledges, occupies and carries (RFC 9293 sections 3.4, 3.5). */
import { seqAdd } from '../segment/index.js';
import { firstSegment, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, needed, neededSome, passes } from './define.js';
import { endOf, isProbe, isReset, SIDES, sentBy } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';

/** The SYN of the side that a segment answers, as it was delivered. */
const synOpposite = (trace: Trace, event: TcpEvent): TcpEvent | undefined =>
  segmentsOf(trace, { flow: event.facts.flow, has: 'SYN', fate: 'delivered' }).find(
    (syn) => syn.facts.from !== event.facts.from,
  );

const synAcks = (trace: Trace, flow: number) =>
  neededSome(segmentsOf(trace, { flow, role: 'syn-ack', origin: 'endpoint' }), 'no stack sent a SYN,ACK');

export function synAckAcknowledgesSyn({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('syn-ack-acknowledges-syn', flow),
    sentence: 'A SYN,ACK acknowledges the number after the SYN it answers: x+1.',
    requirements: ['NOID-05'],
    judge(trace) {
      const [first, ...copies] = synAcks(trace, flow);
      const syn = needed(synOpposite(trace, first), 'no SYN reached the side that sent the SYN,ACK');
      for (const event of [first, ...copies]) {
        const ahead = (event.segment.ack - syn.segment.seq) >>> 0;
        // A SYN with data (RFC 7413) may have its data acknowledged too.
        if (ahead < 1 || ahead > syn.facts.len)
          return fails(`SYN with x=${syn.segment.seq}, SYN,ACK with ack=x+${ahead}`, [syn, event]);
      }
      return passes(`x=${syn.segment.seq}, the SYN,ACK acknowledges ${first.segment.ack}`, [syn, first]);
    },
    mutate: (trace) =>
      changeSegments(trace, [synAcks(trace, flow)[0]], ({ ack }) => ({ ack: seqAdd(ack, -1) })),
  });
}

const handshakeAck = (trace: Trace, flow: number): TcpEvent =>
  needed(
    firstSegment(trace, { flow, role: 'handshake-ack', origin: 'endpoint' }),
    'no stack sent the third segment of a handshake',
  );

export function handshakeAckAcknowledgesSynAck({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('handshake-ack-acknowledges-syn-ack', flow),
    sentence: 'The third segment of the handshake acknowledges the number after the SYN,ACK: y+1.',
    requirements: ['NOID-09'],
    judge(trace) {
      const ack = handshakeAck(trace, flow);
      const synAck = needed(synOpposite(trace, ack), 'no SYN,ACK reached the side that opened');
      const ahead = (ack.segment.ack - synAck.segment.seq) >>> 0;
      const found = `y=${synAck.segment.seq}, the third segment acknowledges y+${ahead}`;
      return ahead >= 1 && ahead <= synAck.facts.len
        ? passes(found, [synAck, ack])
        : fails(found, [synAck, ack]);
    },
    mutate: (trace) =>
      changeSegments(trace, [handshakeAck(trace, flow)], ({ ack }) => ({ ack: seqAdd(ack, 1) })),
  });
}

/** What each stack sent first after its SYN. A RST has a number of its own choosing. */
function firstAfterSyn(trace: Trace, flow: number): readonly { syn: TcpEvent; next: TcpEvent }[] {
  return SIDES.flatMap((side) => {
    const sent = sentBy(trace, side, flow);
    const syn = sent.find(
      (event) => event.facts.relSeq === 0 && event.facts.roles.some((role) => /^syn/.test(role)),
    );
    const next = sent.find(
      (event) => syn !== undefined && !isReset(event) && (event.segment.flags & 2) === 0,
    );
    return syn === undefined || next === undefined ? [] : [{ syn, next }];
  });
}

export function synTakesOneNumber({ flow = 1 }: OnFlow = {}): Check {
  const pairs = (trace: Trace) =>
    neededSome(firstAfterSyn(trace, flow), 'no stack sent anything after its SYN');
  return check({
    id: idOn('syn-takes-one-number', flow),
    sentence: 'A SYN occupies one sequence number: what its sender sends next begins one after it.',
    requirements: ['NOID-05', 'NOID-09', 'NOID-24'],
    judge(trace) {
      const all = pairs(trace);
      const wrong = all.find(({ syn, next }) => (next.segment.seq - syn.segment.seq) >>> 0 !== syn.facts.len);
      if (wrong !== undefined) {
        const by = (wrong.next.segment.seq - wrong.syn.segment.seq) >>> 0;
        return fails(`the ${wrong.syn.facts.from}'s next segment is at ISS+${by}`, [wrong.syn, wrong.next]);
      }
      const who = all.map(({ syn }) => syn.facts.from).join(' and ');
      return passes(
        `the next segment of ${who} is at ISS+1`,
        all.flatMap(({ syn, next }) => [syn, next]),
      );
    },
    mutate: (trace) => changeSegments(trace, [pairs(trace)[0].next], ({ seq }) => ({ seq: seqAdd(seq, -1) })),
  });
}

export function synCarriesNoData({ flow = 1 }: OnFlow = {}): Check {
  const syns = (trace: Trace) =>
    neededSome(segmentsOf(trace, { flow, has: 'SYN', origin: 'endpoint' }), 'no stack sent a SYN');
  return check({
    id: idOn('syn-carries-no-data', flow),
    sentence: 'A SYN carries no data unless the program asked for Fast Open.',
    requirements: ['R7413-05'],
    judge(trace) {
      const all = syns(trace);
      const loaded = all.find(({ segment }) => segment.payload.length > 0);
      if (loaded === undefined) return passes('neither SYN nor SYN,ACK carries data', all);
      return fails(`a SYN of the ${loaded.facts.from} carries ${loaded.segment.payload.length} octets`, [
        loaded,
      ]);
    },
    mutate: (trace) => changeSegments(trace, [syns(trace)[0]], () => ({ payload: Uint8Array.of(0x61) })),
  });
}

/** Bare ACKs of a stack behind which a new segment with a number followed, and that segment. */
function bareAcks(trace: Trace, flow: number): readonly { ack: TcpEvent; next: TcpEvent }[] {
  return SIDES.flatMap((side) => {
    const sent = sentBy(trace, side, flow).filter((event) => !isReset(event) && !isProbe(event));
    return sent.flatMap((ack, i) => {
      const next = sent.slice(i + 1).find((event) => event.facts.len > 0);
      const isNew = next !== undefined && (next.facts.relSeq ?? 0) >= (ack.facts.relSeq ?? 0);
      return ack.facts.roles.includes('pure-ack') && isNew ? [{ ack, next }] : [];
    });
  });
}

export function bareAckTakesNoNumber({ flow = 1 }: OnFlow = {}): Check {
  const pairs = (trace: Trace) =>
    neededSome(bareAcks(trace, flow), 'no stack sent a bare ACK and something with a number after it');
  return check({
    id: idOn('bare-ack-takes-no-number', flow),
    sentence: 'A bare ACK occupies no sequence number: what follows begins where the ACK stands.',
    requirements: ['NOID-12'],
    judge(trace) {
      const all = pairs(trace);
      const wrong = all.find(({ ack, next }) => next.facts.relSeq !== ack.facts.relSeq);
      if (wrong === undefined)
        return passes(
          `${all.length} bare ACKs, each at the number of what followed`,
          all.slice(0, 4).flatMap(({ ack, next }) => [ack, next]),
        );
      const { ack, next } = wrong;
      return fails(`bare ACK at seq=${ack.facts.relSeq}, the next segment at seq=${next.facts.relSeq}`, [
        ack,
        next,
      ]);
    },
    mutate: (trace) => changeSegments(trace, [pairs(trace)[0].next], ({ seq }) => ({ seq: seqAdd(seq, 1) })),
  });
}

/** FINs that a side was given and then acknowledged, with that first acknowledgment. */
function acknowledgedFins(trace: Trace, flow: number): readonly { fin: TcpEvent; ack: TcpEvent }[] {
  return SIDES.flatMap((side) => {
    const [fin] = segmentsOf(trace, { flow, has: 'FIN', fate: 'delivered' }).filter(
      (event) => event.facts.from !== side,
    );
    if (fin === undefined) return [];
    const ack = sentBy(trace, side, flow).find(
      (event) =>
        event.atNs > fin.atNs &&
        !isReset(event) &&
        event.facts.roles.some((role) => role === 'active-fin-ack' || role === 'final-ack'),
    );
    return ack === undefined ? [] : [{ fin, ack }];
  });
}

export function finTakesOneNumber({ flow = 1 }: OnFlow = {}): Check {
  const pairs = (trace: Trace) =>
    neededSome(acknowledgedFins(trace, flow), 'no stack was given a FIN and acknowledged it');
  return check({
    id: idOn('fin-takes-one-number', flow),
    sentence: 'A FIN occupies one sequence number: it is acknowledged by the number after it.',
    requirements: ['NOID-27', 'NOID-30', 'NOID-32'],
    judge(trace) {
      const all = pairs(trace);
      const wrong = all.find(({ fin, ack }) => ack.facts.relAck !== endOf(fin));
      if (wrong === undefined) {
        const found = all.map(
          ({ fin, ack }) => `FIN at ${endOf(fin) - 1} acknowledged by ${ack.facts.relAck}`,
        );
        return passes(
          found.join(', '),
          all.flatMap(({ fin, ack }) => [fin, ack]),
        );
      }
      const { fin, ack } = wrong;
      return fails(`FIN at ${endOf(fin) - 1}, acknowledged by ${ack.facts.relAck}`, [fin, ack]);
    },
    mutate: (trace) => changeSegments(trace, [pairs(trace)[0].ack], ({ ack }) => ({ ack: seqAdd(ack, 1) })),
  });
}
