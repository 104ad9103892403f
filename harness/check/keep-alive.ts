/** Keep-alive: off unless asked for, only when idle, and harmless (RFC 9293 section 3.8.4). */
import { NANOS_PER_MS } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import { seqAdd } from '../segment/index.js';
import { fateOf, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeEvents, changeResults, changeSegments, shifted } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, NotShown, needed, neededSome, nonStrict, passes } from './define.js';
import {
  acknowledgment,
  callsOn,
  givenAtNs,
  givenTo,
  goesOnFor,
  isStack,
  optionSet,
  plural,
  rcvNxt,
  secondsText,
  sndNxt,
} from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ANSWERED_WITHIN_MS, earliestMs, latestMs, THROTTLE_MS } from './tolerances.js';

/** RFC 9293 section 3.8.4 (MUST-28). */
export const DEFAULT_IDLE_MS = 7_200_000;

export interface KeepAliveOptions extends OnFlow {
  /** The side whose program asked for keep-alive. */
  readonly side?: Side;
}

export function probesOf(trace: Trace, side: Side, flow: number): readonly [TcpEvent, ...TcpEvent[]] {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  return neededSome(
    segmentsOf(trace, { role: 'keep-alive', from: side, flow }),
    `the ${side} sent no keep-alive`,
  );
}

/** The last time before a probe that the prober was given something. */
export function lastHeardNs(trace: Trace, side: Side, flow: number, before: TcpEvent): number | undefined {
  return givenTo(trace, side, flow)
    .flatMap(({ deliveries }) => deliveries.map(({ atNs }) => atNs))
    .filter((atNs) => atNs < before.atNs)
    .reduce<number | undefined>((last, atNs) => Math.max(last ?? atNs, atNs), undefined);
}

export function keepAliveOffByDefault({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const readDefault = (trace: Trace) =>
    callsOn(trace, side, flow, { call: 'getOption', result: 'ok' }).find(
      ({ args }) => args.name === 'SO_KEEPALIVE',
    );
  return check({
    id: idOn('keep-alive-off-by-default', flow),
    sentence: 'Keep-alive is off unless the program asks for it.',
    requirements: ['MUST-25'],
    judge(trace) {
      if (optionSet(trace, side, flow, 'SO_KEEPALIVE') !== undefined)
        return inconclusive(`the program of the ${side} set SO_KEEPALIVE itself`);
      const [probe] = segmentsOf(trace, { role: 'keep-alive', from: side, flow, origin: 'endpoint' });
      if (probe !== undefined) return fails('a keep-alive was sent that nobody asked for', [probe]);
      const read = needed(
        readDefault(trace),
        'nobody read SO_KEEPALIVE, and silence says little within two hours',
      );
      const value = read.result.kind === 'ok' ? Number(read.result.value) : undefined;
      return value === 0 ? passes('SO_KEEPALIVE is 0', [read]) : fails(`SO_KEEPALIVE is ${value}`, [read]);
    },
    mutate: (trace) =>
      changeResults(trace, [needed(readDefault(trace), 'nobody read SO_KEEPALIVE')], {
        kind: 'ok',
        value: 1,
      }),
  });
}

export function keepAliveDefaultInterval({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const readDefault = (trace: Trace) => {
    if (optionSet(trace, side, flow, 'TCP_KEEPIDLE') !== undefined)
      throw new NotShown(`the program of the ${side} set TCP_KEEPIDLE itself`);
    return needed(
      callsOn(trace, side, flow, { call: 'getOption', result: 'ok' }).find(
        ({ args }) => args.name === 'TCP_KEEPIDLE',
      ),
      'nobody read TCP_KEEPIDLE',
    );
  };
  return check({
    id: idOn('keep-alive-default-interval', flow),
    sentence: 'Left alone, a connection must be idle for two hours or more before it is probed.',
    requirements: ['MUST-28'],
    judge(trace) {
      const read = readDefault(trace);
      const seconds = read.result.kind === 'ok' ? Number(read.result.value) : 0;
      const found = `TCP_KEEPIDLE is ${seconds} s`;
      return seconds * 1000 >= DEFAULT_IDLE_MS ? passes(found, [read]) : fails(found, [read]);
    },
    mutate: (trace) => changeResults(trace, [readDefault(trace)], { kind: 'ok', value: 60 }),
  });
}

export function keepAliveShape({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  return check({
    id: idOn('keep-alive-shape', flow),
    sentence: 'A keep-alive stands one number before the next (SND.NXT-1) and carries no data.',
    requirements: ['SHLD-12', 'MAY-6'],
    judge(trace) {
      const probes = probesOf(trace, side, flow);
      const wrong = probes.find((probe) => probe.facts.relSeq !== sndNxt(trace, side, flow, probe) - 1);
      if (wrong !== undefined)
        return fails(`a probe at seq=${wrong.facts.relSeq}, SND.NXT=${sndNxt(trace, side, flow, wrong)}`, [
          wrong,
        ]);
      const loaded = probes.find(({ segment }) => segment.payload.length > 0);
      if (loaded !== undefined)
        return nonStrict(`a probe carries ${loaded.segment.payload.length} octet`, [loaded]);
      return passes(`${plural(probes.length, 'probe')} at SND.NXT-1, without data`, probes);
    },
    mutate: (trace) =>
      changeSegments(trace, [probesOf(trace, side, flow)[0]], ({ seq }) => ({ seq: seqAdd(seq, -1) })),
  });
}

export function keepAliveOnlyWhenIdle({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const waits = (trace: Trace) => {
    const idleS = needed(
      optionSet(trace, side, flow, 'TCP_KEEPIDLE'),
      'the program did not set TCP_KEEPIDLE',
    );
    const probes = probesOf(trace, side, flow).map((probe) => {
      const heardNs = needed(
        lastHeardNs(trace, side, flow, probe),
        `the ${side} was given nothing before the probe`,
      );
      return { probe, waitedMs: (probe.atNs - heardNs) / NANOS_PER_MS };
    });
    return { idleMs: idleS * 1000, probes };
  };
  return check({
    id: idOn('keep-alive-only-when-idle', flow),
    sentence: 'A keep-alive is sent only after nothing has come for the interval that the program asked for.',
    requirements: ['MUST-26', 'MUST-27'],
    judge(trace) {
      const { idleMs, probes } = waits(trace);
      const found = `idle for ${secondsText(probes.map(({ waitedMs }) => waitedMs))} before the probes; asked for ${idleMs / 1000} s`;
      const events = probes.map(({ probe }) => probe);
      const early = probes.find(({ waitedMs }) => waitedMs < earliestMs(idleMs, trace));
      if (early !== undefined) return fails(found, [early.probe]);
      const first = probes[0];
      if (first !== undefined && first.waitedMs > latestMs(idleMs, trace))
        return fails(`${found}: the interval asked for is not kept`, [first.probe]);
      return passes(found, events);
    },
    mutate(trace) {
      const [first] = waits(trace).probes;
      const { probe, waitedMs } = needed(first, 'there was no probe');
      return changeEvents(trace, [probe], (event) => shifted(event, -waitedMs / 2));
    },
  });
}

/** Each probe that got through is answered; throttling (RFC 5961 section 7) may leave out one that follows too soon. */
export function keepAliveAnswered({ side = 'client', flow = 1 }: KeepAliveOptions = {}): Check {
  const answers = (trace: Trace) => {
    const answering = otherSide(side);
    if (!isStack(trace, answering)) throw new NotShown(`the ${answering} is a scripted peer`);
    const got = probesOf(trace, side, flow).filter((probe) => fateOf(probe) === 'delivered');
    return neededSome(got, `no keep-alive reached the ${answering}`).map((probe) => ({
      probe,
      ack: acknowledgment(trace, {
        from: answering,
        flow,
        relAck: rcvNxt(trace, answering, flow, givenAtNs(probe)),
        after: givenAtNs(probe),
        within: ANSWERED_WITHIN_MS,
      }),
    }));
  };
  return check({
    id: idOn('keep-alive-answered', flow),
    sentence: 'A keep-alive is answered with an ACK of what was received.',
    requirements: ['NOID-13'],
    judge(trace) {
      const all = answers(trace);
      let answeredNs = Number.NEGATIVE_INFINITY;
      for (const { probe, ack } of all) {
        const isThrottled = givenAtNs(probe) - answeredNs < THROTTLE_MS * NANOS_PER_MS;
        if (ack === undefined && !isThrottled && goesOnFor(trace, givenAtNs(probe), ANSWERED_WITHIN_MS))
          return fails('a keep-alive was not answered', [probe]);
        if (ack !== undefined) answeredNs = ack.atNs;
      }
      const answered = all.filter(({ ack }) => ack !== undefined);
      if (answered.length === 0) return inconclusive('the run ended before an answer was due');
      return passes(
        `${answered.length} of ${plural(all.length, 'probe')} answered`,
        answered.flatMap(({ probe, ack }) => [probe, ack]),
      );
    },
    mutate(trace) {
      const acks = answers(trace).flatMap(({ ack }) => (ack === undefined ? [] : [ack]));
      const [first] = neededSome(acks, 'no probe was answered');
      // Far too late to be an answer; and the run goes on.
      return changeEvents(trace, [first], (event) => shifted(event, 10 * THROTTLE_MS));
    },
  });
}
