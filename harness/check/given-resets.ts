/** RSTs that a side was given: where they stood in its window, and which state they met (RFC 9293 section 3.10.7.4). */
import { NANOS_PER_MS } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { FLAG, hasFlags } from '../segment/index.js';
import { stateAt, type TcpEvent, type Trace, transitionsOf } from '../trace/index.js';
import { NotShown } from './define.js';
import { givenAtNs, givenTo, isReset, isStack, rcvNxt, sentBy, sndNxt } from './look.js';
import { STAMP_MS, toleranceOf } from './tolerances.js';

/** RSTs that a side was given, with where they stood in its window. */
export interface GivenReset {
  readonly rst: TcpEvent;
  readonly atNs: number;
  readonly place: 'exact' | 'in the window' | 'outside the window';
  readonly state: TcpState | undefined;
}

export function resetsGiven(trace: Trace, side: Side, flow: number): readonly GivenReset[] {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  return givenTo(trace, side, flow)
    .filter(isReset)
    .map((rst) => {
      const atNs = givenAtNs(rst);
      return {
        rst,
        atNs,
        place: placeOf(trace, rst, side, flow),
        // Where stamps are exact, what changes at the instant of its delivery it has changed itself.
        state: stateBefore(trace, side, flow, toleranceOf(trace).stampMs === 0 ? atNs - 1 : atNs),
      };
    });
}

/** The state that a segment met. A change that it caused itself may bear an earlier stamp than its delivery. */
export function stateBefore(trace: Trace, side: Side, flow: number, atNs: number): TcpState | undefined {
  const slackNs = STAMP_MS * NANOS_PER_MS;
  const next = transitionsOf(trace, side, { flow }).find(
    (transition) => transition.to === 'CLOSED' && Math.abs(transition.atNs - atNs) <= slackNs,
  );
  return next?.from ?? stateAt(trace, side, atNs, { flow });
}

/** RFC 9293 section 3.10.7.4, first check. In SYN-SENT (3.10.7.3) it is the acknowledgment that must fit. */
function placeOf(trace: Trace, rst: TcpEvent, side: Side, flow: number): GivenReset['place'] {
  const atNs = givenAtNs(rst);
  const { relSeq, relAck } = rst.facts;
  const opened = givenTo(trace, side, flow).some(
    (event) => givenAtNs(event) < atNs && hasFlags(event.segment, FLAG.SYN),
  );
  if (!opened) return relAck === sndNxt(trace, side, flow, atNs) ? 'exact' : 'outside the window';
  const next = rcvNxt(trace, side, flow, atNs);
  if (relSeq === undefined) return 'outside the window';
  if (relSeq === next) return 'exact';
  const edge = sentBy(trace, side, flow)
    .filter((event) => event.atNs < atNs && event.facts.relAck !== undefined && !isReset(event))
    .reduce((right, { facts }) => Math.max(right, (facts.relAck ?? 0) + facts.windowOctets), next);
  return relSeq > next && relSeq < edge ? 'in the window' : 'outside the window';
}
