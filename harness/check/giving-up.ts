/** Giving up: what is never acknowledged is not repeated for ever (RFC 9293 section 3.8.3). */
import { NANOS_PER_MS } from '../clock/index.js';
import { endNs, msBetween, type TcpEvent, type Trace, transitionsOf } from '../trace/index.js';
import { addEvents, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, needed, passes } from './define.js';
import { callsOn, closedAt, durationText, plural } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { fileName, isOpening, offsetsText, stackTransmissions } from './retransmission.js';
import { latestMs, STAMP_MS } from './tolerances.js';
import {
  isAnswered,
  nounOf,
  parseSegmentName,
  type SegmentName,
  type Transmissions,
} from './transmissions.js';

export interface GivesUpOptions extends OnFlow {
  /** The most retransmissions that the settings of the scenario allow. */
  readonly atMost?: number;
}

/** After some retransmissions that nobody answers the stack gives up, says so, and is silent from then on. */
export function givesUp(name: SegmentName, { flow = 1, atMost }: GivesUpOptions = {}): Check {
  const limit = atMost === undefined ? 'a limited number of times' : plural(atMost, 'time');
  return check({
    id: idOn(`${fileName(name)}-given-up`, flow),
    sentence: `A ${nounOf(name)} that is never acknowledged is sent again ${limit} at most; then the connection ends.`,
    requirements: isOpening(name) ? ['MUST-20', 'MUST-22'] : ['MUST-20', 'NOID-45', 'NOID-49'],
    judge(trace) {
      const series = stackTransmissions(trace, name, flow);
      const { all } = series;
      const repeats = all.length - 1;
      const found = `${name} repeated ${plural(repeats, 'time')} after ${offsetsText(series)}`;
      if (isAnswered(trace, series)) return inconclusive(`${name} was acknowledged in the end`, all);
      if (repeats === 0) return inconclusive(`${name} was not repeated`, all);
      if (atMost !== undefined && repeats > atMost) return fails(`${found}: more than ${atMost} times`, all);
      const end = endOfPatience(trace, series, flow);
      if (end === undefined) return inconclusive(`${found}, and had not given up when the run ended`, all);
      const late = all.find((event) => event.atNs > end.atNs + STAMP_MS * NANOS_PER_MS);
      if (late !== undefined) return fails(`${found}, and again after it had given up`, [late]);
      const afterMs = (end.atNs - series.first.atNs) / NANOS_PER_MS;
      return passes(`${found}, then ${end.text} after ${durationText(afterMs)}`, all);
    },
    mutate(trace) {
      const series = stackTransmissions(trace, name, flow);
      const end = needed(endOfPatience(trace, series, flow), 'the stack had not given up');
      const last = needed(series.all.at(-1), `${name} was not sent`);
      const lateMs = 3 * msBetween(last, end) + 1000;
      // So often that it is also too often, whatever the limit.
      const more = Array.from({ length: (atMost ?? 0) + 1 }, (_, i) => shifted(last, lateMs + i));
      return addEvents(trace, ...more);
    },
  });
}

/** How a stack shows that it gave up: the program's error, the state CLOSED (or LISTEN), or silence where a SYN,ACK was due. */
function endOfPatience(
  trace: Trace,
  series: Transmissions,
  flow: number,
): { readonly atNs: number; readonly text: string } | undefined {
  const { all, from, first, name } = series;
  const told = callsOn(trace, from, flow).find(
    ({ result, returnedNs }) =>
      result.kind === 'error' && result.errno === 'ETIMEDOUT' && returnedNs >= first.atNs,
  );
  if (told !== undefined) return { atNs: told.returnedNs, text: `${told.call} failed with ETIMEDOUT` };
  const closed = closedAt(trace, from, flow);
  if (closed !== undefined && closed.atNs >= first.atNs) return { atNs: closed.atNs, text: `${from} CLOSED` };
  if (!parseSegmentName(name).roles.includes('syn-ack')) return undefined;
  const forgotten = transitionsOf(trace, from, { flow }).find(
    ({ to, atNs }) => to === 'LISTEN' && atNs >= first.atNs,
  );
  if (forgotten !== undefined) return { atNs: forgotten.atNs, text: `${from} back in LISTEN` };
  return silenceAfter(trace, all);
}

/** A request that was given up shows by silence: for longer than the next doubling could take. */
function silenceAfter(
  trace: Trace,
  all: readonly TcpEvent[],
): { readonly atNs: number; readonly text: string } | undefined {
  for (const [i, copy] of all.entries()) {
    const before = all[i - 1];
    if (before === undefined) continue;
    const dueMs = latestMs(2 * msBetween(before, copy));
    const silentMs = msBetween(copy, all[i + 1] ?? endNs(trace));
    if (silentMs > dueMs) return { atNs: copy.atNs + dueMs * NANOS_PER_MS, text: 'silence' };
  }
  return undefined;
}
