/** Both sides at once: simultaneous open and simultaneous close (RFC 9293 sections 3.5 and 3.6). */
import { seqAdd } from '../segment/index.js';
import { firstSegment, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, type Opinion, passes } from './define.js';
import { endOf, givenAtNs, isReset, isStack, SIDES, sentBy } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { judgeStates, type StateStep } from './states.js';

/** The segments with a role from both sides; each left before the other arrived. */
function crossing(trace: Trace, role: 'syn' | 'active-fin', flow: number): readonly [TcpEvent, TcpEvent] {
  const of = (side: (typeof SIDES)[number]) =>
    needed(firstSegment(trace, { flow, role, from: side }), `the ${side} sent no ${role}`);
  const client = of('client');
  const server = of('server');
  if (givenAtNs(client) <= server.atNs || givenAtNs(server) <= client.atNs)
    throw new NotShown(`one ${role} arrived before the other left`);
  return [client, server];
}

const stacks = (trace: Trace) => SIDES.filter((side) => isStack(trace, side));

/** Both stacks' ways must have these states; the first that fails speaks for both. */
function judgeBoth(
  trace: Trace,
  steps: readonly StateStep[],
  flow: number,
  events: readonly TcpEvent[],
): Opinion {
  const opinions = stacks(trace).map((side) => ({ side, opinion: judgeStates(trace, side, steps, flow) }));
  const failed = opinions.find(({ opinion }) => opinion.verdict === 'fail');
  const open = opinions.find(({ opinion }) => opinion.verdict !== 'pass');
  const worst = failed ?? open;
  if (worst !== undefined) return worst.opinion;
  const found = opinions.map(({ side, opinion }) => `${side}: ${opinion.finding}`).join('; ');
  return passes(found, [...events, ...opinions.flatMap(({ opinion }) => opinion.events)]);
}

export function simultaneousOpen({ flow = 1 }: OnFlow = {}): Check {
  /** Each stack's SYN,ACK, with the SYN that it sent before and the one that it answers. */
  const answers = (trace: Trace) => {
    const [client, server] = crossing(trace, 'syn', flow);
    return stacks(trace).map((side) => ({
      own: side === 'client' ? client : server,
      other: side === 'client' ? server : client,
      synAck: firstSegment(trace, { flow, role: 'syn-ack', from: side }),
    }));
  };
  return check({
    id: idOn('simultaneous-open', flow),
    sentence:
      'Two SYNs that cross make one connection: each side answers with a SYN,ACK of its own number and becomes established.',
    requirements: ['MUST-10', 'NOID-10', 'NOID-24'],
    judge(trace) {
      const all = answers(trace);
      for (const { own, other, synAck } of all) {
        if (synAck === undefined) {
          const rst = sentBy(trace, own.facts.from, flow).find(isReset);
          if (rst !== undefined)
            return fails(`the ${own.facts.from} answered the SYN with a RST`, [own, other, rst]);
          return givenAtNs(other) === Number.POSITIVE_INFINITY
            ? inconclusive(`no SYN reached the ${own.facts.from}`, [other])
            : fails(`the ${own.facts.from} did not answer the SYN with a SYN,ACK`, [own, other]);
        }
        if (synAck.segment.seq !== own.segment.seq)
          return fails(`the SYN,ACK of the ${own.facts.from} has another number than its SYN`, [own, synAck]);
        if (synAck.segment.ack !== seqAdd(other.segment.seq, 1))
          return fails(`the SYN,ACK of the ${own.facts.from} does not acknowledge the SYN`, [other, synAck]);
      }
      const events = all.flatMap(({ own, synAck }) => (synAck === undefined ? [own] : [own, synAck]));
      return judgeBoth(trace, ['SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED'], flow, events);
    },
    mutate(trace) {
      const [first] = answers(trace);
      const synAck = needed(first?.synAck, 'there was no SYN,ACK');
      return changeSegments(trace, [synAck], ({ seq }) => ({ seq: seqAdd(seq, 1) }));
    },
  });
}

export function simultaneousClose({ flow = 1 }: OnFlow = {}): Check {
  /** Each stack's FIN and the other's first acknowledgment of it. */
  const answers = (trace: Trace) => {
    const fins = crossing(trace, 'active-fin', flow);
    return fins
      .filter((fin) => isStack(trace, fin.facts.from === 'client' ? 'server' : 'client'))
      .map((fin) => ({
        fin,
        ack: segmentsOf(trace, { flow, role: ['active-fin-ack', 'final-ack'], after: fin }).find(
          (event) => event.facts.from !== fin.facts.from,
        ),
      }));
  };
  return check({
    id: idOn('simultaneous-close', flow),
    sentence:
      'Two FINs that cross close the connection: each side passes CLOSING, and both stay in TIME-WAIT.',
    requirements: ['NOID-33', 'NOID-29'],
    judge(trace) {
      const all = answers(trace);
      const wrong = all.find(({ fin, ack }) => ack !== undefined && ack.facts.relAck !== endOf(fin));
      if (wrong !== undefined)
        return fails(`the FIN at ${endOf(wrong.fin) - 1} was acknowledged by ${wrong.ack?.facts.relAck}`, [
          wrong.fin,
          wrong.ack,
        ]);
      const silent = all.find(({ ack }) => ack === undefined);
      if (silent !== undefined)
        return inconclusive(`the FIN of the ${silent.fin.facts.from} was not acknowledged`, [silent.fin]);
      const events = all.flatMap(({ fin, ack }) => (ack === undefined ? [fin] : [fin, ack]));
      return judgeBoth(trace, ['FIN-WAIT-1', 'CLOSING', 'TIME-WAIT'], flow, events);
    },
    mutate(trace) {
      const [first] = answers(trace);
      const ack = needed(first?.ack, 'no FIN was acknowledged');
      return changeSegments(trace, [ack], (segment) => ({ ack: seqAdd(segment.ack, 1) }));
    },
  });
}
