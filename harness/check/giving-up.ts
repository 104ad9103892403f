/** Giving up: what is never acknowledged is not repeated for ever, and not given up too soon (RFC 9293 section 3.8.3). */
import { NANOS_PER_MS } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import { msBetween, type Trace } from '../trace/index.js';
import { addEvents, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, nonStrict, passes } from './define.js';
import { durationText, optionSet, plural } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { endedAt, endOfPatience } from './patience.js';
import { fileName, isOpening, offsetsText, stackTransmissions } from './retransmission.js';
import { earliestMs, STAMP_MS } from './tolerances.js';
import { isAnswered, nounOf, parseSegmentName, type SegmentName } from './transmissions.js';

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

/** RFC 9293 section 3.8.3: R2, the time after which a stack may give up. */
const R2_MS = { syn: 180_000, other: 100_000 } as const;

/** What lowers R2: settings of the scenario, and options that its program set. */
const LOWERED_BY = {
  settings: ['tcp_retries2', 'tcp_syn_retries', 'tcp_synack_retries', 'tcp_orphan_retries', 'tcp_rto_max_ms'],
  options: ['TCP_USER_TIMEOUT', 'TCP_SYNCNT'],
} as const;

/** How long a stack that was left alone keeps at it, from the first transmission until it gives up. */
export function keepsTrying(name: SegmentName, { flow = 1 }: OnFlow = {}): Check {
  const isSyn = parseSegmentName(name).roles.includes('syn');
  const leastMs = isSyn ? R2_MS.syn : R2_MS.other;
  const look = (trace: Trace) => {
    const series = stackTransmissions(trace, name, flow);
    const lowered = lowering(trace, series.from, flow);
    if (lowered !== undefined) throw new NotShown(`the scenario set ${lowered} itself`);
    if (isAnswered(trace, series)) throw new NotShown(`${name} was acknowledged in the end`);
    const end = needed(endOfPatience(trace, series, flow), 'the stack had not given up when the run ended');
    return { series, end };
  };
  return check({
    id: idOn(`${fileName(name)}-kept-trying`, flow),
    sentence: isSyn
      ? 'A SYN that nobody answers is repeated for three minutes at least before the stack gives up.'
      : `A ${nounOf(name)} that nobody acknowledges is given up after 100 s at the earliest.`,
    requirements: isSyn ? ['MUST-23', 'NOID-48'] : ['SHLD-11', 'NOID-48'],
    judge(trace) {
      const { series, end } = look(trace);
      const events = [...series.all, end.event];
      const afterMs = msBetween(series.first, end.atNs);
      const repeats = plural(series.all.length - 1, 'repeat');
      const found = `${end.text} ${durationText(afterMs)} after the first ${name}, with ${repeats}`;
      if (afterMs >= earliestMs(leastMs, trace)) return passes(found, events);
      const [, repeat] = series.all;
      if (repeat === undefined || end.atNs <= repeat.atNs)
        return fails(`${found}: given up before it was repeated`, events);
      const short = `${found}: R2 is ${isSyn ? 'three minutes' : '100 s'} at least`;
      return isSyn ? fails(short, events) : nonStrict(short, events);
    },
    mutate(trace) {
      const { series, end } = look(trace);
      const { first, all } = series;
      const soonMs = Math.min(leastMs, all[1] === undefined ? leastMs : msBetween(first, all[1])) / 2;
      return endedAt(trace, end, first.atNs + soonMs * NANOS_PER_MS, first.atNs);
    },
  });
}

function lowering(trace: Trace, side: Side, flow: number): string | undefined {
  const setting = LOWERED_BY.settings.find((each) => `${side}.ipv4.${each}` in trace.settings);
  return setting ?? LOWERED_BY.options.find((each) => optionSet(trace, side, flow, each) !== undefined);
}
