import { expect } from 'chai';
import { isRequirement } from '../spec/index.js';
import type { Trace } from '../trace/index.js';
import { allChecks } from './all-checks.js';
import type { Verdict } from './check.js';
import { closeToldAsEnd } from './close.js';
import { isRed } from './define.js';
import * as long from './long-stories.fixture.js';
import * as story from './stories.fixture.js';

/** For each check: a trace that it judges, and the verdict there (pass, unless the stack in it is not strict). */
const STORIES: Readonly<Record<string, readonly [() => Trace, Verdict?]>> = {
  'syn-ack-acknowledges-syn': [story.closed],
  'handshake-ack-acknowledges-syn-ack': [story.closed],
  'syn-takes-one-number': [story.closed],
  'syn-carries-no-data': [story.closed],
  'bare-ack-takes-no-number': [story.closed],
  'fin-takes-one-number': [story.closed],
  'window-and-options-exchanged': [() => story.withOptions(story.closed())],
  'window-scale-only-if-offered': [() => story.withOptions(story.closed())],
  'timestamps-only-if-offered': [() => story.withOptions(story.closed())],
  'isns-unpredictable': [story.fiveConnections],
  'data-on-third-segment': [story.dataOnThird],
  'lost-handshake-ack-repaired': [story.handshakeAckLost],
  'data-before-handshake-ack': [story.lateHandshakeAck],
  'old-duplicate-syn': [story.oldSyn],
  'simultaneous-open': [story.openedAtOnce],
  'simultaneous-close': [story.closedAtOnce],
  'client-established-then-fin-wait-1-then-fin-wait-2-then-time-wait': [story.closed],
  'server-established-then-close-wait-then-last-ack-then-closed': [story.closed],
  'four-segment-close': [story.closed],
  'three-segment-close': [story.threeSegments],
  'half-close-delivers': [story.halfClosed],
  'server-told-of-close': [story.closed],
  'repeated-fin-acknowledged': [story.activeFinAckLost],
  'repeated-fin-acknowledged-in-time-wait': [story.finalAckLost],
  'time-wait-lasts-2msl': [story.closed],
  'time-wait-restarts-on-fin': [story.finalAckLost],
  'stays-in-last-ack': [story.finalAckLost],
  'last-ack-ends-with-its-ack': [story.finalAckLost],
  'control-block-freed': [story.closed],
  'client-syn-repeated': [() => story.lostSyn([1010, 2030, 4060])],
  'client-syn-backs-off': [() => story.lostSyn([1010, 2030, 4060])],
  'client-syn-first-timeout': [() => story.lostSyn([1010, 2030, 4060])],
  'client-syn-given-up': [() => story.lostSyn([1010, 2030, 4060])],
  'server-syn-ack-repeated': [() => story.lostSynAck([1010, 2030, 4060])],
  'server-syn-ack-backs-off': [() => story.lostSynAck([1010, 2030, 4060])],
  'server-syn-ack-first-timeout': [() => story.lostSynAck([1010, 2030, 4060])],
  'server-syn-ack-given-up': [() => story.lostSynAck([1010, 2030, 4060])],
  'active-fin-repeated': [() => story.lostActiveFin([204, 208, 416])],
  'active-fin-backs-off': [() => story.lostActiveFin([204, 208, 416])],
  'active-fin-first-timeout': [() => story.lostActiveFin([204, 208, 416]), 'non-strict'],
  'active-fin-given-up': [() => story.lostActiveFin([204, 208, 416])],
  'passive-fin-repeated': [() => story.lostPassiveFin([204, 408, 816])],
  'passive-fin-backs-off': [() => story.lostPassiveFin([204, 408, 816])],
  'passive-fin-first-timeout': [() => story.lostPassiveFin([204, 408, 816]), 'non-strict'],
  'passive-fin-given-up': [() => story.lostPassiveFin([204, 408, 816])],
  'data-repeated': [() => story.lostData([1004, 2008])],
  'data-backs-off': [() => story.lostData([6, 204, 408, 816])],
  'data-first-timeout': [() => story.lostData([1004, 2008])],
  'data-given-up': [() => story.lostData([1004, 2008])],
  'client-syn-kept-trying': [() => long.synLost([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000], 191_000)],
  'server-syn-ack-kept-trying': [long.synAckLost],
  'active-fin-kept-trying': [long.activeFinLost],
  'passive-fin-kept-trying': [long.passiveFinLost],
  'data-kept-trying': [long.dataLost],
  'client-syn-timer-doubles': [() => long.synLost([1000, 2048, 4096, 8192, 16_384, 33_792], 131_072)],
  'server-syn-ack-timer-doubles': [long.synAckLost],
  'active-fin-timer-doubles': [long.activeFinLost],
  'passive-fin-timer-doubles': [long.passiveFinLost],
  'data-timer-doubles': [long.dataLost],
  'data-rto-bound': [long.dataLost],
  'client-window-probe-timer-doubles': [long.windowShutForAnHour],
  'fin-wait-2-kept': [long.halfClosedForHours],
  'fin-wait-2-of-an-orphan': [long.finWait2OfOrphan, 'info'],
  'keep-alive-waits-two-hours': [long.idleForADay],
  'user-timeout-kept': [long.userTimeoutOfData],
  'user-timeout-advertised': [long.userTimeoutOfData, 'info'],
  'closed-port-refuses': [story.refused],
  'listener-ignores-reset': [story.resetListener],
  'refusal-told': [story.refused],
  'server-told-of-reset': [story.aborted],
  'client-abort-sends-reset': [story.aborted],
  'server-close-with-unread-data-resets': [story.unread],
  'client-data-after-close-resets': [story.dataAfterClose],
  'in-window-reset': [story.resetInWindow, 'info'],
  'reset-ends-syn-sent': [story.resetInSynSent],
  'reset-ends-syn-received': [story.resetInSynReceived],
  'reset-ends-established': [() => story.resetIn('ESTABLISHED')],
  'reset-ends-fin-wait-1': [() => story.resetIn('FIN-WAIT-1')],
  'reset-ends-fin-wait-2': [() => story.resetIn('FIN-WAIT-2')],
  'reset-ends-close-wait': [() => story.resetIn('CLOSE-WAIT')],
  'reset-ends-closing': [() => story.resetIn('CLOSING')],
  'reset-ends-last-ack': [() => story.resetIn('LAST-ACK')],
  'reset-ends-time-wait': [() => story.resetIn('TIME-WAIT')],
  'data-numbered': [story.closed],
  'last-data-pushed': [story.closed],
  'urgent-pointed': [story.urgentData],
  'urgent-told': [story.urgentData],
  'urgent-mark-told': [story.urgentData],
  'keep-alive-off-by-default': [story.readOptions],
  'keep-alive-default-interval': [story.readOptions],
  'keep-alive-shape': [story.keptAlive],
  'keep-alive-only-when-idle': [story.keptAlive],
  'keep-alive-answered': [story.keptAlive],
  'unanswered-keep-alive-survived': [story.keptAlive],
  'keep-alive-gives-up': [story.keptAlive],
  'zero-window-probed': [story.windowShut],
  'zero-window-probes-back-off': [story.windowShut],
  'zero-window-probes-answered': [story.windowShut],
  'stays-open-while-window-shut': [story.windowShut],
  'checksums-right': [story.closed],
  'flags-legal': [story.closed],
  'options-readable': [story.closed],
  'mss-only-on-syn': [story.closed],
  'sack-permitted-only-on-syn': [story.closed],
  'sack-only-if-permitted': [story.withSack],
  'timestamps-on-every-segment': [() => story.withOptions(story.closed())],
  'window-not-shrunk': [story.closed],
  'mss-kept': [story.closed],
  'local-address-constant': [story.closed],
  'repeats-not-early': [story.finalAckLost],
  'one-fin-for-each-side': [story.closed],
  'resets-not-answered': [story.aborted],
  'transitions-legal': [story.closed],
};

describe('a check that asks what a program was told', () => {
  const told = closeToldAsEnd('server');
  const ofApplication = (trace: Trace): Trace => ({
    ...trace,
    endpoints: trace.endpoints.map((end) =>
      end.side === 'server' ? { ...end, application: 'container web (nginx:1.27)' } : end,
    ),
    events: trace.events.filter((event) => event.kind !== 'call' || event.side !== 'server'),
  });

  it('judges it where somebody drives the program, and says that nobody saw it where it is a user’s own', () => {
    expect(told.judge(story.closed()).verdict).to.equal('pass');
    expect(told.judge(ofApplication(story.closed()))).to.deep.include({
      verdict: 'inconclusive',
      finding: 'the server is container web (nginx:1.27), and what its program calls and is told nobody saw',
    });
  });

  it('judges the other side as ever', () => {
    expect(closeToldAsEnd('client').judge(ofApplication(story.closed())).verdict).to.equal('pass');
  });
});

describe('the checks', () => {
  it('have ids of their own, a story each, and requirements that the catalogue knows', () => {
    expect(new Set(allChecks.map((check) => check.id)).size).to.equal(allChecks.length);
    expect(Object.keys(STORIES)).to.have.members(allChecks.map((check) => check.id));
    for (const { id, requirements } of allChecks) {
      expect(requirements, id).to.not.have.length(0);
      expect(
        requirements.filter((each) => !isRequirement(each)),
        id,
      ).to.deep.equal([]);
    }
  });

  for (const check of allChecks) {
    const [make, verdict = 'pass'] = STORIES[check.id] ?? [story.nothing];
    describe(check.id, () => {
      it(`gives ${verdict} where it holds: ${check.sentence}`, () => {
        const trace = make();
        const judgement = check.judge(trace);
        expect(judgement.verdict, judgement.finding).to.equal(verdict);
        expect(judgement.finding).to.not.match(/undefined|NaN|Infinity/);
        for (const index of judgement.evidence) expect(trace.events[index]).to.not.equal(undefined);
      });

      it('is red on a trace altered against it', () => {
        const judgement = check.judge(check.mutate(make()));
        expect(isRed(judgement), `${judgement.verdict}: ${judgement.finding}`).to.equal(true);
        if (judgement.verdict === 'non-strict') expect(verdict).to.not.equal('non-strict');
      });

      it('passes no trace in which nothing of the kind happened', () => {
        expect(check.judge(story.nothing()).verdict).to.be.oneOf(['inconclusive', 'info']);
      });
    });
  }
});
