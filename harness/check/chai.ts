/**
 * TCP's vocabulary for chai. Importing this module (`import 'lastack/chai'`) teaches it to this process's chai;
 * `use(lastackChai)` does the same by hand.
 *
 *     expect(trace).to.have.states('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
 *     expect(trace).to.retransmit('server.fin').withBackoff().times(2).within(1000);
 *     expect(trace).to.haveSegment('final-ack').from('client').thatIs('dropped').times(1);
 *     expect(trace).to.deliver('data');
 *     expect(trace).to.drop('final-ack');
 *     expect(trace).to.conform(backsOff('server.fin'));
 *
 * What a trace does not show is no success: an assertion about states that nobody watched fails, negated or not.
 */
import { use } from 'chai';
import type { Side } from '../fault/index.js';
import type { Fate } from '../trace/index.js';
import { conform, deliver, drop, haveSegment, haveStates, retransmit } from './chai-assertions.js';
import type { RepeatAssertion, SegmentAssertion } from './chai-chains.js';
import type { Check, Verdict } from './check.js';
import type { StateStep } from './states.js';
import type { SegmentName } from './transmissions.js';

declare global {
  namespace Chai {
    interface Assertion {
      /** The side passed through these states, one after the other; `'FIN-WAIT-2?'` may be left out. */
      states(side: Side, steps: readonly StateStep[], options?: { flow?: number }): Assertion;
      /** The segment was sent more than once. */
      retransmit(name: SegmentName, options?: { flow?: number }): RepeatAssertion;
      /** Such a segment was sent. */
      haveSegment(name: SegmentName, options?: { flow?: number }): SegmentAssertion;
      /** Such a segment reached the other side. */
      deliver(name: SegmentName, options?: { flow?: number }): Assertion;
      /** Such a segment was lost on the wire. */
      drop(name: SegmentName, options?: { flow?: number }): Assertion;
      /** The check's verdict is `pass` or `info`, or one of those that `allow` adds. */
      conform(check: Check, options?: { allow?: readonly Verdict[] }): Assertion;
    }
  }
}

export const lastackChai: Chai.ChaiPlugin = ({ Assertion }, utils) => {
  const methods = { states: haveStates, retransmit, haveSegment, deliver, drop, conform };
  for (const [name, method] of Object.entries(methods)) utils.addMethod(Assertion.prototype, name, method);
};

export type { Fate, RepeatAssertion, SegmentAssertion };

use(lastackChai);
