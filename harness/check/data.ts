/** Data in both directions: its numbers, its acknowledgment, its push (RFC 9293 sections 3.4, 3.9.1 and 3.10.7.4). */
import { otherSide, type Side } from '../fault/index.js';
import { FLAG, hasFlags, seqAdd } from '../segment/index.js';
import { segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, neededSome, passes } from './define.js';
import { acknowledgment, endOf, givenAtNs, goesOnFor, isStack, plural, SIDES } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ACK_DELAY_MS, WAKE_UP_LATE_MS } from './tolerances.js';

/** What a stack sent for the first time, in the order in which it was sent. */
const freshData = (trace: Trace, side: Side, flow: number) =>
  neededSome(
    segmentsOf(trace, { from: side, flow, role: 'data', copy: 1, origin: 'endpoint' }),
    `the ${side} sent no data`,
  );

const stacks = (trace: Trace): readonly Side[] => SIDES.filter((side) => isStack(trace, side));

/** The first segment of a side that does not begin where the one before ended. */
function misplaced(data: readonly TcpEvent[]): { event: TcpEvent; should: number } | undefined {
  let should = 1;
  for (const event of data) {
    if (event.facts.relSeq !== should) return { event, should };
    should = endOf(event);
  }
  return undefined;
}

export function dataNumbered({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('data-numbered', flow),
    sentence:
      'Each octet of data occupies a sequence number, from ISS+1 on, and data is acknowledged up to its last.',
    requirements: ['NOID-12', 'NOID-25'],
    judge(trace) {
      const all = stacks(trace).map((side) => ({ side, data: freshData(trace, side, flow) }));
      for (const { side, data } of all) {
        const wrong = misplaced(data);
        if (wrong !== undefined) {
          const at = wrong.event.facts.relSeq;
          return fails(`data of the ${side} begins at ${at}, not ${wrong.should}`, [wrong.event]);
        }
        const last = data.at(-1) ?? data[0];
        const ack = acknowledgment(trace, {
          from: otherSide(side),
          flow,
          relAck: endOf(last),
          after: givenAtNs(last),
        });
        if (ack !== undefined) continue;
        const said = `the data of the ${side}, up to ${endOf(last)}, was not acknowledged`;
        return goesOnFor(trace, givenAtNs(last), ACK_DELAY_MS + WAKE_UP_LATE_MS)
          ? fails(said, [last])
          : inconclusive(`${said} before the run ended`, [last]);
      }
      const counts = all.map(({ side, data }) => `${side} ${plural(data.length, 'segment')}`);
      return passes(
        `${counts.join(', ')}, each at the end of the one before`,
        all.flatMap(({ data }) => data),
      );
    },
    mutate(trace) {
      const [side = 'client'] = stacks(trace);
      const last = freshData(trace, side, flow).slice(-1);
      return changeSegments(trace, last, ({ seq }) => ({ seq: seqAdd(seq, 1) }));
    },
  });
}

export function lastDataPushed({ flow = 1 }: OnFlow = {}): Check {
  const lasts = (trace: Trace): readonly TcpEvent[] =>
    stacks(trace).flatMap((side) => freshData(trace, side, flow).slice(-1));
  return check({
    id: idOn('last-data-pushed', flow),
    sentence: 'The last segment of what a program sent has PSH set, so that nobody waits for more.',
    requirements: ['MUST-61'],
    judge(trace) {
      const bare = lasts(trace).find(({ segment }) => !hasFlags(segment, FLAG.PSH));
      return bare === undefined
        ? passes('PSH is set on the last data of each side', lasts(trace))
        : fails(`the last data of the ${bare.facts.from} has no PSH`, [bare]);
    },
    mutate: (trace) => changeSegments(trace, lasts(trace), ({ flags }) => ({ flags: flags & ~FLAG.PSH })),
  });
}
