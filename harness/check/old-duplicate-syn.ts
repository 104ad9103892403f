/** An old duplicate SYN at a listener (RFC 9293 section 3.5.1, figure 8). */
import { otherSide } from '../fault/index.js';
import { seqAdd } from '../segment/index.js';
import { callsOf, connectionsOf, msBetween, segmentsOf, type Trace } from '../trace/index.js';
import { addEvents, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, passes } from './define.js';
import { givenAtNs, goesOnFor, isStack } from './look.js';
import { latestMs } from './tolerances.js';

/**
 * What followed a SYN that no stack sent. Its answers are found by ports and numbers: whether they count as another
 * connection of the same ports is not for the check to say.
 */
function oldSynStory(trace: Trace) {
  const syn = needed(
    segmentsOf(trace, { role: 'syn', fate: 'delivered' }).find(
      ({ origin }) => origin === 'user' || origin === 'fault',
    ),
    'no SYN that nobody sent reached a listener',
  );
  const { from } = syn.facts;
  const listener = otherSide(from);
  if (!isStack(trace, listener)) throw new NotShown(`the ${listener} is a scripted peer`);
  const { srcPort, dstPort, seq } = syn.segment;
  const afterNs = givenAtNs(syn) - trace.alignment.segmentsErrorNs;
  const synAcks = segmentsOf(trace, { from: listener, flags: 'SYN,ACK', after: afterNs }).filter(
    ({ segment }) =>
      segment.dstPort === srcPort && segment.srcPort === dstPort && segment.ack === seqAdd(seq, 1),
  );
  const [synAck, ...again] = synAcks;
  const rst =
    synAck &&
    segmentsOf(trace, { from, has: 'RST', after: synAck }).find(
      ({ segment }) => segment.srcPort === srcPort && segment.dstPort === dstPort,
    );
  const established = connectionsOf(trace, listener)
    .filter(({ remote, transitions }) => remote.port === srcPort && (transitions[0]?.atNs ?? 0) >= afterNs)
    .flatMap(({ transitions }) => transitions)
    .find(({ to }) => to === 'ESTABLISHED');
  const accepted = callsOf(trace, listener, { call: 'accept', result: 'ok' }).find(
    ({ result, returnedNs }) =>
      returnedNs >= afterNs && result.kind === 'ok' && String(result.value).endsWith(` port ${srcPort}`),
  );
  return { syn, listener, synAck, again, rst, established, accepted };
}

/** RFC 9293 section 3.5.1, figure 8: the SYN,ACK draws a RST, and the listener goes on as if nothing had been. */
export function oldDuplicateSyn(): Check {
  return check({
    id: 'old-duplicate-syn',
    sentence:
      'An old duplicate SYN opens no connection: its SYN,ACK draws a RST, and the listener forgets it.',
    requirements: ['NOID-47', 'NOID-18', 'NOID-01'],
    judge(trace) {
      const { syn, listener, synAck, again, rst, established, accepted } = oldSynStory(trace);
      if (established !== undefined || accepted !== undefined)
        return fails(`the old SYN opened a connection at the ${listener}`, [
          syn,
          synAck,
          established,
          accepted,
        ]);
      const answer = needed(synAck, `the ${listener} did not answer the old SYN`);
      const refusal = needed(rst, 'nobody refused the SYN,ACK');
      if (refusal.segment.seq !== answer.segment.ack)
        return fails('the RST has another number than the SYN,ACK acknowledges', [answer, refusal]);
      const late = again.find((event) => event.atNs > givenAtNs(refusal));
      if (late !== undefined)
        return fails('the SYN,ACK was sent again after the RST', [syn, answer, refusal, late]);
      const forgotten = connectionsOf(trace, listener)
        .flatMap(({ transitions }) => transitions)
        .find(
          ({ from, to, atNs }) =>
            from === 'SYN-RECEIVED' && (to === 'LISTEN' || to === 'CLOSED') && atNs >= answer.atNs,
        );
      const events = [syn, answer, refusal, forgotten];
      if (forgotten !== undefined)
        return passes(`SYN,ACK, RST, and the ${listener} is back in ${forgotten.to}`, events);
      // Not seen: but a SYN,ACK that is not forgotten comes again after 1 s (RFC 6298 rule 2.1).
      return goesOnFor(trace, givenAtNs(refusal), latestMs(1000, trace))
        ? passes('SYN,ACK, RST, and nothing more', events)
        : inconclusive('the run ended before a SYN,ACK was due again', events);
    },
    mutate(trace) {
      const { rst, synAck } = oldSynStory(trace);
      const refusal = needed(rst, 'nobody refused the SYN,ACK');
      const answer = needed(synAck, 'there was no SYN,ACK');
      // The SYN,ACK comes again although it was refused.
      return addEvents(trace, shifted(answer, msBetween(answer, givenAtNs(refusal)) + 1000));
    },
  });
}
