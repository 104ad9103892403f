/** The user timeout: how long the program lets its data, or a silent connection, wait (RFC 9293 sections 3.8.3 and 3.10.8). */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import { option } from '../segment/index.js';
import { endNs, fateOf, msBetween, segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, inconclusive, informs, NotShown, needed, neededSome, passes } from './define.js';
import { lastHeardNs } from './keep-alive.js';
import { durationText, goesOnFor, isStack, optionSet, sentBy } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { endedAt, toldOrClosed } from './patience.js';
import { earliestMs, latestMs } from './tolerances.js';
import { isAnswered, transmissionsOf } from './transmissions.js';
import { shutWindow } from './zero-window.js';

export interface UserTimeoutOptions extends OnFlow {
  /** The side whose program set the user timeout. */
  readonly side?: Side;
}

/** What waits, since when, and what the stack did about it. */
interface Waiting {
  readonly what: string;
  readonly sinceNs: Nanos;
  readonly attempts: readonly TcpEvent[];
  /** The other side answers, and yet what waits cannot go. */
  readonly isAnswered: boolean;
}

const lost = (trace: Trace, side: Side, flow: number): Waiting | undefined => {
  const data = transmissionsOf(trace, `${side}.data`, flow);
  if (data === undefined || isAnswered(trace, data)) return undefined;
  // What probes a window waits for that since it was shut, and not since the first probe.
  if (data.first.facts.roles.includes('window-probe')) return undefined;
  return {
    what: 'data unacknowledged',
    sinceNs: data.first.atNs,
    attempts: data.all,
    isAnswered: false,
  };
};

function shut(trace: Trace, side: Side, flow: number): Waiting | undefined {
  const probed = segmentsOf(trace, { role: 'window-probe', from: side, flow });
  if (probed.length === 0) return undefined;
  const { sinceNs, probes, opened } = shutWindow(trace, side, flow);
  if (opened !== undefined) throw new NotShown('the window opened again');
  const answered = probes.some((probe) => fateOf(probe) === 'delivered');
  return { what: 'the window shut', sinceNs, attempts: probes, isAnswered: answered };
}

function silent(trace: Trace, side: Side, flow: number): Waiting | undefined {
  const probes = segmentsOf(trace, { role: 'keep-alive', from: side, flow });
  const last = probes.at(-1);
  const sinceNs = last === undefined ? undefined : lastHeardNs(trace, side, flow, last);
  if (sinceNs === undefined) return undefined;
  const attempts = probes.filter(({ atNs }) => atNs > sinceNs);
  return { what: 'nothing heard', sinceNs, attempts, isAnswered: false };
}

function waitingOf(trace: Trace, side: Side, flow: number): Waiting {
  if (!isStack(trace, side)) throw new NotShown(`the ${side} is a scripted peer`);
  const found = lost(trace, side, flow) ?? shut(trace, side, flow) ?? silent(trace, side, flow);
  return needed(found, `nothing of the ${side} had to wait for the other side`);
}

/** A stack that looks at the time only when it repeats something does so when the next repeat would have been due. */
function latestEndMs(trace: Trace, { sinceNs, attempts }: Waiting, timeoutMs: number): number {
  const offsets = attempts
    .map(({ atNs }) => (atNs - sinceNs) / NANOS_PER_MS)
    .filter((offsetMs) => offsetMs < timeoutMs);
  const last = offsets.at(-1) ?? 0;
  const gapMs = last - (offsets.at(-2) ?? 0);
  return Math.max(latestMs(timeoutMs, trace), last + latestMs(2 * gapMs, trace));
}

export function userTimeoutKept({ side = 'client', flow = 1 }: UserTimeoutOptions = {}): Check {
  const look = (trace: Trace) => {
    const timeoutMs = needed(
      optionSet(trace, side, flow, 'TCP_USER_TIMEOUT'),
      `the program of the ${side} set no user timeout`,
    );
    const waiting = waitingOf(trace, side, flow);
    return { timeoutMs, waiting, end: toldOrClosed(trace, side, flow, waiting.sinceNs) };
  };
  return check({
    id: idOn('user-timeout-kept', flow),
    sentence: 'What waits for longer than the user timeout ends the connection then, and not before.',
    requirements: ['MUST-21', 'NOID-49'],
    judge(trace) {
      const { timeoutMs, waiting, end } = look(trace);
      const latest = latestEndMs(trace, waiting, timeoutMs);
      const asked = `the user timeout is ${durationText(timeoutMs)}`;
      if (end === undefined) {
        const open = `${waiting.what} for ${durationText(msBetween(waiting.sinceNs, endNs(trace)))}, and still open: ${asked}`;
        if (waiting.isAnswered)
          return informs(`${open}, and MUST-37 keeps what is answered`, waiting.attempts);
        return goesOnFor(trace, waiting.sinceNs, latest)
          ? fails(open, waiting.attempts)
          : inconclusive(open, waiting.attempts);
      }
      const afterMs = msBetween(waiting.sinceNs, end.atNs);
      const found = `${waiting.what} for ${durationText(afterMs)}, then ${end.text}: ${asked}`;
      const events = [...waiting.attempts, end.event];
      if (afterMs < earliestMs(timeoutMs, trace)) return fails(found, events);
      if (afterMs > latest) return fails(`${found}, long over`, events);
      return waiting.isAnswered
        ? informs(`${found}, though the other side answered its probes (MUST-37)`, events)
        : passes(found, events);
    },
    mutate(trace) {
      const { timeoutMs, waiting, end } = look(trace);
      const { sinceNs } = waiting;
      const ended = needed(end, 'the connection did not end');
      return endedAt(trace, ended, sinceNs + (timeoutMs / 4) * NANOS_PER_MS, sinceNs);
    },
  });
}

/** RFC 5482 is optional: a stack that sends its option must mean what the program asked for. */
export function userTimeoutAdvertised({ side = 'client', flow = 1 }: UserTimeoutOptions = {}): Check {
  const advertised = (trace: Trace) =>
    sentBy(trace, side, flow).flatMap((event) => {
      const found = option(event.segment, 'userTimeout');
      if (found === undefined) return [];
      const unitS = found.granularity === 'minutes' ? 60 : 1;
      return [{ event, unitS, seconds: found.timeout * unitS }];
    });
  const asked = (trace: Trace) =>
    needed(
      optionSet(trace, side, flow, 'TCP_USER_TIMEOUT'),
      `the program of the ${side} set no user timeout`,
    );
  return check({
    id: idOn('user-timeout-advertised', flow),
    sentence: 'A user timeout option, where one is sent, tells the time that the program asked for.',
    requirements: ['R5482-01'],
    judge(trace) {
      const timeoutMs = asked(trace);
      const options = advertised(trace);
      const wrong = options.find(({ seconds, unitS }) => Math.abs(seconds - timeoutMs / 1000) >= unitS);
      if (wrong !== undefined)
        return fails(`told the other side ${wrong.seconds} s, and was asked for ${timeoutMs / 1000} s`, [
          wrong.event,
        ]);
      return options.length === 0
        ? informs('this stack does not tell the other side its user timeout (RFC 5482 is optional)')
        : passes(
            `told the other side ${timeoutMs / 1000} s`,
            options.map(({ event }) => event),
          );
    },
    mutate(trace) {
      asked(trace);
      const [first] = neededSome(sentBy(trace, side, flow), `the ${side} sent nothing`);
      return changeSegments(trace, [first], ({ options }) => ({
        options: [
          ...options.filter(({ kind }) => kind !== 'userTimeout'),
          { kind: 'userTimeout', granularity: 'minutes', timeout: 1234 },
        ],
      }));
    },
  });
}
