import { expect } from 'chai';
import { mergeTimers, timersFromJson } from './merge-timers.js';
import { timersToJson } from './timer-lines.js';
import type { Schedule, TimerTable } from './timer-table.js';

const schedule = (kind: Schedule['kind'], stack: string): Schedule => ({
  kind,
  stack,
  offsetsNs: [1],
  scenario: 'close/one',
  ipVersion: 4,
});

const table = (stack: string): TimerTable => ({
  schedules: [schedule('SYN', stack), schedule('FIN', stack)],
  stays: [{ state: 'TIME-WAIT', stack, leastNs: 60, mostNs: 61, count: 2 }],
});

describe('tables of timers together', () => {
  it('put what is of one kind beneath each other, in the order of the runs', () => {
    const merged = mergeTimers([table('linux@5.10'), table('linux@6.12')]);
    expect(merged.schedules.map(({ kind, stack }) => `${kind} ${stack}`)).to.deep.equal([
      'SYN linux@5.10',
      'SYN linux@6.12',
      'FIN linux@5.10',
      'FIN linux@6.12',
    ]);
    expect(merged.stays.map(({ stack }) => stack)).to.deep.equal(['linux@5.10', 'linux@6.12']);
  });

  it('come out of their files as they went in', () => {
    expect(timersFromJson(timersToJson(table('linux@6.1')))).to.deep.equal(table('linux@6.1'));
  });

  it('are refused where a file is something else', () => {
    expect(() => timersFromJson('{"format":"lastack-trace"}')).to.throw('no table of timers');
  });
});
