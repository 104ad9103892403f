/** A listener: what it takes no notice of (RFC 9293 section 3.10.7.2). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { FLAG } from '../segment/index.js';
import { msBetween, segmentsOf, type Trace } from '../trace/index.js';
import { addEvents, withFields } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, needed, passes } from './define.js';
import { givenAtNs, goesOnFor, isStack } from './look.js';
import { REACTION_MS } from './tolerances.js';

/** A RST that comes to a listening port before any connection is neither answered nor does it disturb the listener. */
export function listenerIgnoresReset(side: Side = 'server'): Check {
  const look = (trace: Trace) => {
    const firstSyn = segmentsOf(trace, { role: 'syn', from: otherSide(side) })[0];
    const rst = needed(
      segmentsOf(trace, {
        role: 'rst',
        from: otherSide(side),
        fate: 'delivered',
        ...(firstSyn === undefined ? {} : { before: firstSyn }),
      })[0],
      `no RST reached the listener of the ${side}`,
    );
    const answers = segmentsOf(trace, {
      from: side,
      after: rst,
      before: firstSyn ?? givenAtNs(rst) + REACTION_MS * NANOS_PER_MS,
    });
    const opened = segmentsOf(trace, { role: 'syn-ack', from: side, after: rst })[0];
    return { rst, answers, opened };
  };
  return check({
    id: 'listener-ignores-reset',
    sentence:
      'A RST to a listening port is ignored: nothing answers it, and the next connection comes about.',
    requirements: ['NOID-03', 'NOID-02'],
    judge(trace) {
      const { rst, answers, opened } = look(trace);
      needed(isStack(trace, side) || undefined, `the ${side} sent nothing of its own`);
      const [answer] = answers;
      if (answer !== undefined) return fails('the RST was answered', [rst, answer]);
      if (opened !== undefined) {
        const ms = msBetween(rst, opened).toFixed(0);
        return passes(`no answer to the RST, and a SYN was accepted ${ms} ms later`, [rst, opened]);
      }
      return goesOnFor(trace, rst, REACTION_MS)
        ? inconclusive('no answer to the RST, but no connection was tried afterwards', [rst])
        : inconclusive('the run ended with the RST', [rst]);
    },
    mutate(trace) {
      const { rst, opened } = look(trace);
      const answer = needed(opened, 'no connection was tried afterwards');
      const reset = withFields(answer, { flags: FLAG.RST });
      return addEvents(trace, { ...reset, atNs: givenAtNs(rst) });
    },
  });
}
