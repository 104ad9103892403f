/** The table of timers for people and for programs. */
import { NANOS_PER_SECOND, type Nanos } from '../clock/index.js';
import { fold, NO_BREAK } from './terminal.js';
import type { Schedule, TimedStay, TimerTable } from './timer-table.js';

/** Seconds to the microsecond, without zeros that say nothing: `1.024`, `63`. */
export const secondsOf = (ns: Nanos): string => String(Number((ns / NANOS_PER_SECOND).toFixed(6)));

/** A line for each kind and stack, those of one kind beneath each other; folded to `columns`. */
export function timerLines({ schedules, stays }: TimerTable, columns: number): readonly string[] {
  if (schedules.length + stays.length === 0) return [];
  const rows = [
    ...schedules.map((each) => ({ what: each.kind, stack: each.stack, says: scheduleText(each) })),
    ...stays.map((each) => ({ what: each.state, stack: each.stack, says: stayText(each) })),
  ];
  const widest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const [whatWidth, stackWidth] = [
    widest(rows.map(({ what }) => what)),
    widest(rows.map(({ stack }) => stack)),
  ];
  const indent = whatWidth + stackWidth + 4;
  return [
    'timers, in seconds: of a segment that nobody answers its repeats, of a shut window and of silence the probes',
    ...rows.flatMap(({ what, stack, says }, i) => {
      const title = rows[i - 1]?.what === what ? '' : what;
      const [first = '', ...more] = fold(says, Math.max(20, columns - indent));
      return [
        `${title.padEnd(whatWidth)}  ${stack.padEnd(stackWidth)}  ${first}`,
        ...more.map((line) => `${' '.repeat(indent)}${line}`),
      ];
    }),
  ];
}

function scheduleText({ offsetsNs, gaveUpNs }: Schedule): string {
  const times = offsetsNs.map(secondsOf).join('  ');
  return gaveUpNs === undefined
    ? times
    : `${times}  given${NO_BREAK}up${NO_BREAK}at${NO_BREAK}${secondsOf(gaveUpNs)}`;
}

function stayText({ leastNs, mostNs, count }: TimedStay): string {
  const lasted = leastNs === mostNs ? secondsOf(leastNs) : `${secondsOf(leastNs)} to ${secondsOf(mostNs)}`;
  return count === 1 ? lasted : `${lasted} (${count} times)`;
}

/** Nanoseconds throughout. */
export const timersToJson = (table: TimerTable): string =>
  `${JSON.stringify({ format: 'lastack-timers', version: 1, ...table }, null, 2)}\n`;
