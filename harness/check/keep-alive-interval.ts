/** Keep-alive as a stack does it that was left alone: not before two hours (RFC 9293 section 3.8.4), however long it goes on. */
import { NANOS_PER_MS } from '../clock/index.js';
import type { TcpEvent, Trace } from '../trace/index.js';
import { changeEvents, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, NotShown, neededSome, passes } from './define.js';
import { DEFAULT_IDLE_MS, type KeepAliveOptions, lastHeardNs, probesOf } from './keep-alive.js';
import { durationText, optionSet, plural } from './look.js';
import { idOn } from './on-flow.js';
import { earliestMs } from './tolerances.js';

interface Idle {
  readonly probe: TcpEvent;
  readonly idleMs: number;
}

/** The first probe of each time that the connection was idle, and how long it had been. */
function idleTimes(
  trace: Trace,
  { side = 'client', flow = 1 }: KeepAliveOptions,
): readonly [Idle, ...Idle[]] {
  if (optionSet(trace, side, flow, 'TCP_KEEPIDLE') !== undefined)
    throw new NotShown(`the program of the ${side} set TCP_KEEPIDLE itself`);
  const setting = `${side}.ipv4.tcp_keepalive_time`;
  if (setting in trace.settings) throw new NotShown(`the scenario set ${setting} itself`);
  let beforeNs = Number.NEGATIVE_INFINITY;
  const idle = probesOf(trace, side, flow).flatMap((probe) => {
    const heardNs = lastHeardNs(trace, side, flow, probe);
    const isFirst = heardNs !== undefined && heardNs > beforeNs;
    beforeNs = probe.atNs;
    return isFirst ? [{ probe, idleMs: (probe.atNs - heardNs) / NANOS_PER_MS }] : [];
  });
  return neededSome(idle, `the ${side} was given nothing before its probes`);
}

/** Measured, and not read from an option: a day takes a moment where the clock is virtual. */
export function keepAliveWaitsTwoHours(options: KeepAliveOptions = {}): Check {
  return check({
    id: idOn('keep-alive-waits-two-hours', options.flow ?? 1),
    sentence: 'Where nobody set another interval, nothing must have come for two hours before a keep-alive.',
    requirements: ['MUST-28', 'MUST-26'],
    judge(trace) {
      const idle = idleTimes(trace, options);
      const shortest = idle.reduce((a, b) => (b.idleMs < a.idleMs ? b : a));
      const found = `idle ${plural(idle.length, 'time')}, for ${durationText(shortest.idleMs)} at least before the probe`;
      return shortest.idleMs < earliestMs(DEFAULT_IDLE_MS, trace)
        ? fails(found, [shortest.probe])
        : passes(
            found,
            idle.map(({ probe }) => probe),
          );
    },
    mutate(trace) {
      const [{ probe, idleMs }] = idleTimes(trace, options);
      return changeEvents(trace, [probe], (event) => shifted(event, -idleMs / 2));
    },
  });
}
