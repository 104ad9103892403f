/** LAST-ACK, and the end of the control block: what the side that closes last does until it may forget (RFC 9293 3.6). */
import { NANOS_PER_MS } from '../clock/index.js';
import { connectionOf, endNs, msBetween, segmentsOf, staysOf, type Trace } from '../trace/index.js';
import { addEvents, changeTransitions, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, neededSome, passes } from './define.js';
import {
  closedAt,
  copiesOf,
  durationText,
  endOf,
  givenAtNs,
  givenTo,
  isReset,
  isStack,
  plural,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { REACTION_MS, STAMP_MS } from './tolerances.js';

/** The passive closer's stay in LAST-ACK, its FIN's copies, and the first ACK of it that came. */
function lastAckOf(trace: Trace, flow: number) {
  const fins = neededSome(copiesOf(trace, 'passive-fin', { flow }), 'there was no second FIN');
  const side = fins[0].facts.from;
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const [stay] = neededSome(
    staysOf(trace, side, 'LAST-ACK', { flow }),
    `the ${side} was not seen in LAST-ACK`,
  );
  const ack = givenTo(trace, side, flow).find(
    (event) =>
      !isReset(event) && (event.facts.relAck ?? 0) >= endOf(fins[0]) && givenAtNs(event) > fins[0].atNs,
  );
  const reset = givenTo(trace, side, flow).find((event) => isReset(event) && givenAtNs(event) > fins[0].atNs);
  return { fins, side, stay, ack, reset };
}

/** Until its FIN is acknowledged the passive closer stays in LAST-ACK and repeats the FIN. */
export function staysInLastAck({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('stays-in-last-ack', flow),
    sentence:
      'While its FIN is not acknowledged, the side that closed last stays in LAST-ACK and repeats the FIN.',
    requirements: ['NOID-30', 'NOID-44'],
    judge(trace) {
      const { fins, side, stay, ack, reset } = lastAckOf(trace, flow);
      const events = [stay.entered, ...fins, stay.left];
      if (fins.length < 2 && ack !== undefined)
        return inconclusive('the FIN was acknowledged before it could be repeated', events);
      const { left } = stay;
      const repeated = `FIN repeated ${plural(fins.length - 1, 'time')}`;
      if (left === undefined) {
        const stayed = durationText((endNs(trace) - stay.entered.atNs) / NANOS_PER_MS);
        return fins.length > 1
          ? passes(`${repeated}; still in LAST-ACK when the run ended, after ${stayed}`, events)
          : inconclusive(`the run ended after ${stayed} in LAST-ACK, before a FIN was due again`, events);
      }
      const lasted = durationText(msBetween(stay.entered, left));
      const endsNs = Math.min(
        ack === undefined ? Infinity : givenAtNs(ack),
        reset === undefined ? Infinity : givenAtNs(reset),
      );
      const isEarly = left.atNs < endsNs - STAMP_MS * NANOS_PER_MS;
      if (left.to !== 'CLOSED') return fails(`the ${side} went from LAST-ACK to ${left.to}`, events);
      if (isEarly && fins.length < 2)
        return fails(`the ${side} left LAST-ACK after ${lasted} without an ACK`, events);
      if (isEarly) return passes(`${repeated}, then given up: ${lasted} in LAST-ACK`, events);
      return passes(`${repeated}; ${lasted} in LAST-ACK, until the ACK came`, [...events, ack ?? reset]);
    },
    mutate(trace) {
      const { fins, stay, side } = lastAckOf(trace, flow);
      const repeats = new Set<unknown>(fins.slice(1));
      const firstRepeatNs = fins[1]?.atNs ?? endNs(trace);
      const early = Math.max(stay.entered.atNs, Math.min(firstRepeatNs, endNs(trace)) - NANOS_PER_MS);
      const left = stay.left ?? { ...stay.entered, from: 'LAST-ACK' as const, to: 'CLOSED' as const, side };
      // Gone at once, before any ACK came and without a second FIN.
      const kept = trace.events.filter((event) => event !== stay.left && !repeats.has(event));
      const late = kept.filter((event) => event.kind !== 'segment' || event.atNs < early);
      const { notBeforeNs: _, ...rest } = left;
      return addEvents({ ...trace, events: late }, { ...rest, atNs: early, certainty: 'exact' });
    },
  });
}

/** LAST-ACK ends with the ACK of the FIN. */
export function lastAckEnds({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const found = lastAckOf(trace, flow);
    return { ...found, ack: needed(found.ack, `no ACK of its FIN reached the ${found.side}`) };
  };
  return check({
    id: idOn('last-ack-ends-with-its-ack', flow),
    sentence: 'The ACK of its FIN takes the side that closed last from LAST-ACK to CLOSED.',
    requirements: ['NOID-30'],
    judge(trace) {
      const { side, stay, ack } = look(trace);
      const { left } = stay;
      if (left === undefined)
        return msBetween(givenAtNs(ack), endNs(trace)) > REACTION_MS
          ? fails(`the ${side} was given the ACK of its FIN and stayed in LAST-ACK`, [stay.entered, ack])
          : inconclusive('the run ended with the ACK', [stay.entered, ack]);
      const events = [stay.entered, ack, left];
      if (left.to !== 'CLOSED') return fails(`the ${side} went from LAST-ACK to ${left.to}`, events);
      const afterMs = msBetween(givenAtNs(ack), left);
      if (afterMs < -STAMP_MS)
        return inconclusive(`CLOSED ${durationText(-afterMs)} before the ACK came`, events);
      const earliest = msBetween(givenAtNs(ack), left.notBeforeNs ?? left.atNs);
      return earliest > REACTION_MS
        ? fails(`CLOSED only ${durationText(afterMs)} after the ACK came`, events)
        : passes(`CLOSED ${durationText(Math.max(0, afterMs))} after the ACK came`, events);
    },
    mutate(trace) {
      const { stay } = look(trace);
      const left = needed(stay.left, 'LAST-ACK did not end');
      return changeTransitions(trace, [left], () => ({ to: 'TIME-WAIT', certainty: 'exact' }));
    },
  });
}

/** At the end of the run nothing is left of a connection (NOID-50, and RFC 9293 section 3.3.1 on the TCB). */
export function controlBlockFreed({ flow = 1 }: OnFlow = {}): Check {
  const look = (trace: Trace) => {
    const sides = (['client', 'server'] as const).filter((side) => isStack(trace, side));
    const lives = sides.flatMap((side) => {
      const connection = connectionOf(trace, side, { flow });
      return connection === undefined ? [] : [connection];
    });
    return neededSome(lives, 'nobody watched the states');
  };
  return check({
    id: idOn('control-block-freed', flow),
    sentence:
      'The control block exists from open to the end of the close, through TIME-WAIT, and is freed then.',
    requirements: ['NOID-50', 'NOID-30'],
    judge(trace) {
      const lives = look(trace);
      for (const { side, transitions } of lives) {
        const last = transitions.at(-1);
        const closed = closedAt(trace, side, flow);
        if (closed === undefined)
          return inconclusive(`the ${side} was in ${last?.to} when the run ended`, [last]);
        const finished = transitions.find(({ to }) => to === 'TIME-WAIT');
        const sentLate = segmentsOf(trace, { flow, from: side, lacks: 'RST', after: closed }).find(
          (event) => event.atNs > closed.atNs + STAMP_MS * NANOS_PER_MS && event.origin === 'endpoint',
        );
        if (sentLate !== undefined)
          return fails(`the ${side} was CLOSED and sent a segment of the connection after that`, [
            finished,
            closed,
            sentLate,
          ]);
      }
      return passes(
        lives
          .map(
            ({ side, transitions }) =>
              `${side} freed ${durationText(msBetween(0, transitions.at(-1) ?? 0))} into the run`,
          )
          .join(', '),
        lives.flatMap(({ transitions }) => transitions.slice(-1)),
      );
    },
    mutate(trace) {
      const [{ side }] = look(trace);
      const closed = needed(closedAt(trace, side, flow), `the ${side} was not seen to be CLOSED`);
      const [first] = neededSome(
        segmentsOf(trace, { flow, from: side, lacks: 'RST', origin: 'endpoint' }),
        `the ${side} sent nothing`,
      );
      return addEvents(trace, shifted(first, msBetween(first, closed) + 1000));
    },
  });
}
