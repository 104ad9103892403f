/** One table of timers from those of several runs, each of another stack. */
import { SCHEDULE_KINDS, type TimerTable } from './timer-table.js';

const STATES = ['TIME-WAIT', 'FIN-WAIT-2'] as const;

/** By kind; within it in the order of the tables. */
export function mergeTimers(tables: readonly TimerTable[]): TimerTable {
  const schedules = tables.flatMap((table) => table.schedules);
  const stays = tables.flatMap((table) => table.stays);
  return {
    schedules: SCHEDULE_KINDS.flatMap((kind) => schedules.filter((each) => each.kind === kind)),
    stays: STATES.flatMap((state) => stays.filter((each) => each.state === state)),
  };
}

/** Reads what `timersToJson` wrote. Throws for anything else. */
export function timersFromJson(text: string): TimerTable {
  const { format, version, schedules, stays } = JSON.parse(text) as TimerTable & Record<string, unknown>;
  if (format !== 'lastack-timers' || version !== 1 || !Array.isArray(schedules) || !Array.isArray(stays))
    throw new Error('this is no table of timers of lastack');
  return { schedules, stays };
}
