/** FINs that come again: acknowledged again, and always the same FIN (RFC 9293 sections 3.6, 3.10.7.4). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide } from '../fault/index.js';
import { seqAdd } from '../segment/index.js';
import { segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, NotShown, neededSome, passes } from './define.js';
import {
  acknowledgment,
  copiesOf,
  durationText,
  endOf,
  givenAtNs,
  goesOnFor,
  isStack,
  plural,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ANSWERED_WITHIN_MS } from './tolerances.js';

export type LosableAck = 'active-fin-ack' | 'final-ack';

/** Repeats of a FIN that reached the other side although it had been given it before. */
function repeatedFins(trace: Trace, which: LosableAck, flow: number): readonly [TcpEvent, ...TcpEvent[]] {
  const role = which === 'final-ack' ? 'passive-fin' : 'active-fin';
  const delivered = copiesOf(trace, role, { flow }).filter(({ deliveries }) => deliveries.length > 0);
  return neededSome(delivered.slice(1), `no FIN reached the other side a second time`);
}

/** A FIN that comes again, because its ACK was lost, is acknowledged again. */
export function repeatedFinAcknowledged(which: LosableAck, { flow = 1 }: OnFlow = {}): Check {
  const isFinal = which === 'final-ack';
  const answers = (trace: Trace) =>
    repeatedFins(trace, which, flow).map((fin) => ({
      fin,
      ack: acknowledgment(trace, {
        from: otherSide(fin.facts.from),
        flow,
        relAck: endOf(fin),
        after: givenAtNs(fin),
        within: ANSWERED_WITHIN_MS,
      }),
    }));
  return check({
    id: idOn(isFinal ? 'repeated-fin-acknowledged-in-time-wait' : 'repeated-fin-acknowledged', flow),
    sentence: isFinal
      ? 'In TIME-WAIT a FIN that comes again is acknowledged again.'
      : 'A FIN that comes again is acknowledged again, whatever the state behind it.',
    requirements: isFinal ? ['NOID-31'] : ['NOID-35', 'NOID-13'],
    judge(trace) {
      const all = answers(trace);
      const [first] = all;
      const receiver = first === undefined ? 'client' : otherSide(first.fin.facts.from);
      if (!isStack(trace, receiver)) throw new NotShown(`the ${receiver} is a scripted peer`);
      const silent = all.find(
        ({ fin, ack }) => ack === undefined && goesOnFor(trace, givenAtNs(fin), ANSWERED_WITHIN_MS),
      );
      if (silent !== undefined)
        return fails(`a FIN that the ${receiver} was given again was not acknowledged`, [silent.fin]);
      const wrong = all.find(({ fin, ack }) => ack !== undefined && ack.facts.relAck !== endOf(fin));
      if (wrong !== undefined)
        return fails(`FIN at ${endOf(wrong.fin) - 1} acknowledged by ${wrong.ack?.facts.relAck}`, [
          wrong.fin,
          wrong.ack,
        ]);
      const answered = all.filter(({ ack }) => ack !== undefined);
      if (answered.length === 0)
        return inconclusive('the run ended before a FIN could be acknowledged again');
      const delaysMs = answered.map(({ fin, ack }) => ((ack?.atNs ?? 0) - givenAtNs(fin)) / NANOS_PER_MS);
      return passes(
        `${plural(answered.length, 'repeated FIN')} acknowledged again, after ${durationText(Math.max(...delaysMs))} at most`,
        answered.flatMap(({ fin, ack }) => [fin, ack]),
      );
    },
    mutate(trace) {
      const acks = answers(trace).flatMap(({ ack }) => (ack === undefined ? [] : [ack]));
      return changeSegments(trace, neededSome(acks, 'no FIN was acknowledged again'), ({ ack }) => ({
        ack: seqAdd(ack, 1),
      }));
    },
  });
}

/** All FINs of a side are one FIN: a second CLOSE sends none (NOID-42), and a copy stays where the first was. */
export function oneFinForEachSide(): Check {
  const fins = (trace: Trace) => segmentsOf(trace, { has: 'FIN', lacks: 'SYN', origin: 'endpoint' });
  return check({
    id: 'one-fin-for-each-side',
    sentence: 'A side has one FIN: all its FIN segments stand at the same sequence number.',
    requirements: ['NOID-42'],
    judge(trace) {
      const ends = new Map<string, TcpEvent>();
      for (const fin of fins(trace)) {
        const key = `${fin.facts.flow} ${fin.facts.from}`;
        const first = ends.get(key);
        if (first !== undefined && endOf(first) !== endOf(fin))
          return fails(`FINs of the ${fin.facts.from} end at ${endOf(first)} and at ${endOf(fin)}`, [
            first,
            fin,
          ]);
        ends.set(key, first ?? fin);
      }
      return ends.size === 0 ? informs('no stack sent a FIN') : passes(plural(ends.size, 'FIN'), fins(trace));
    },
    mutate(trace) {
      const [fin] = neededSome(fins(trace), 'no stack sent a FIN');
      const again = { ...fin, atNs: fin.atNs + 1 };
      const doubled = {
        ...trace,
        events: trace.events.flatMap((event) => (event === fin ? [fin, again] : [event])),
      };
      return changeSegments(doubled, [again], ({ seq }) => ({ seq: seqAdd(seq, 1) }));
    },
  });
}
