import { expect } from 'chai';
import { type Trace, traceWith } from '../trace/index.js';
import { timerLines, timersToJson } from './timer-lines.js';
import { type ScheduleKind, timerTable } from './timer-table.js';

const of = (stack: string, ...lines: readonly string[]): Trace =>
  traceWith({ lab: 'virtual', stack, scenario: 'any/name' }, ...lines);

const OPENING = ['client SYN', 'server SYN,ACK', 'client ACK'] as const;

const synLost = (stack: string, ...gapsMs: readonly number[]): Trace =>
  of(
    stack,
    '@0 client connect() = ETIMEDOUT took 15360.5',
    'client SYN-SENT',
    '@0.5 client SYN, dropped by f1',
    ...gapsMs.map((ms) => `+${ms} client SYN again, dropped by f1`),
    '@15360.5 client CLOSED',
  );

/** What the table says of a kind, in milliseconds. */
function schedule(kind: ScheduleKind, ...traces: readonly Trace[]) {
  const found = timerTable(traces).schedules.filter((each) => each.kind === kind);
  return found.map(({ offsetsNs, gaveUpNs }) => ({
    at: offsetsNs.map((ns) => ns / 1e6),
    ...(gaveUpNs === undefined ? {} : { gaveUp: gaveUpNs / 1e6 }),
  }));
}

describe('the table of timers', () => {
  it('has the repeats of a SYN and when it was given up, counted from the first', () => {
    expect(schedule('SYN', synLost('linux@6.1', 1024, 2048.000001, 4096))).to.deep.equal([
      { at: [1024, 3072.000001, 7168.000001], gaveUp: 15_360 },
    ]);
  });

  it('has for each stack the trace with most repeats, and says where it is from', () => {
    const traces = [
      synLost('linux@6.1', 1024),
      synLost('linux@6.1', 1024, 2048),
      synLost('linux@6.12', 1024, 1024, 1024),
    ];
    const { schedules } = timerTable(traces);
    expect(
      schedules.map(({ kind, stack, offsetsNs, scenario, ipVersion }) => [
        kind,
        stack,
        offsetsNs.length,
        scenario,
        ipVersion,
      ]),
    ).to.deep.equal([
      ['SYN', 'linux@6.1', 2, 'any/name', 4],
      ['SYN', 'linux@6.12', 3, 'any/name', 4],
    ]);
  });

  it('prefers, of as many repeats, those that were given up', () => {
    const cut = of('linux@6.1', '@0 client SYN, dropped by f1', '@1030 client SYN again, dropped by f1');
    const givenUp = synLost('linux@6.1', 1024);
    for (const traces of [
      [cut, givenUp],
      [givenUp, cut],
    ])
      expect(schedule('SYN', ...traces)).to.deep.equal([{ at: [1024], gaveUp: 15_360 }]);
  });

  it('has nothing that the other side brought about', () => {
    const answered = of(
      'linux@6.1',
      'client SYN',
      'server SYN,ACK, dropped by f1',
      '@1024 client SYN again',
      'server SYN,ACK again, dropped by f1',
      '+1030 server SYN,ACK again',
      'client ACK',
    );
    expect(schedule('SYN,ACK', answered)).to.deep.equal([]);
    expect(schedule('SYN', answered)).to.deep.equal([{ at: [1024] }]);
  });

  it('counts as given up only what nobody answered', () => {
    const repaired = of(
      'linux@6.1',
      ...OPENING,
      'client ESTABLISHED',
      'client send(4)',
      'client PSH,ACK "ping", dropped by f1',
      '+204 client PSH,ACK again',
      'server ACK',
      'server RST,ACK',
      'client CLOSED',
    );
    expect(schedule('data', repaired)).to.deep.equal([{ at: [204] }]);
  });

  it('tells the FIN of a program that stays from that of one that is gone', () => {
    const fin = (call: string) =>
      of(
        'linux@6.1',
        ...OPENING,
        `client ${call}`,
        'client FIN,ACK, dropped by f1',
        '+204 client FIN,ACK again, dropped by f1',
      );
    expect(schedule('FIN', fin('shutdown(write)'))).to.deep.equal([{ at: [204] }]);
    expect(schedule('FIN of an orphan', fin('shutdown(write)'))).to.deep.equal([]);
    expect(schedule('FIN of an orphan', fin('close()'))).to.deep.equal([{ at: [204] }]);
  });

  it('counts window probes from the news that the window is shut', () => {
    const shut = of(
      'linux@6.1',
      ...OPENING,
      'client PSH,ACK data=100',
      '@100 server ACK win=0',
      '@304.05 client ACK seq=100 [window-probe]',
      'server ACK win=0 [pure-ack]',
      '@712.05 client ACK seq=100 [window-probe]',
      'server ACK win=0 [pure-ack]',
    );
    expect(schedule('window probe', shut)).to.deep.equal([{ at: [204, 612] }]);
  });

  it('counts keep-alives from what was heard last, where most are unanswered', () => {
    const silent = of(
      'linux@6.1',
      ...OPENING,
      '@1000 server ACK [pure-ack]',
      '@8000.05 client ACK seq=0 [keep-alive]',
      'server ACK [pure-ack]',
      '@15000.2 client ACK seq=0 [keep-alive], dropped by f1',
      '@16000.2 client ACK seq=0 [keep-alive], dropped by f1',
      '@17000.2 client receive() = ETIMEDOUT',
      'client CLOSED',
    );
    expect(schedule('keep-alive', silent)).to.deep.equal([{ at: [7000, 8000], gaveUp: 9000 }]);
  });

  it('leaves out scripted peers', () => {
    const trace = synLost('peer', 1024);
    expect(timerTable([trace])).to.deep.equal({ schedules: [], stays: [] });
  });

  it('has how long TIME-WAIT and FIN-WAIT-2 lasted that a timer alone ended, the least and the most', () => {
    const closed = (ms: number, ...between: readonly string[]): Trace =>
      of(
        'linux@6.1',
        ...OPENING,
        'client FIN-WAIT-1',
        'client FIN,ACK',
        'server ACK',
        'server FIN,ACK',
        '@100 client TIME-WAIT',
        'client ACK',
        ...between,
        `@${100 + ms} client CLOSED`,
      );
    const traces = [
      closed(60_416),
      closed(61_440),
      closed(66_000, '@200 server FIN,ACK again', 'client ACK again'),
    ];
    expect(timerTable(traces).stays).to.deep.equal([
      { state: 'TIME-WAIT', stack: 'linux@6.1', leastNs: 60_416e6, mostNs: 61_440e6, count: 2 },
    ]);
  });
});

describe('the table of timers as text', () => {
  const table = timerTable([
    synLost('linux@6.1', 1024, 2048, 4096.000001),
    synLost('linux@6.12', 1024, 1024.5),
  ]);

  it('has a line for each stack, seconds without idle zeros, folded where it must be', () => {
    expect(timerLines(table, 120).slice(1)).to.deep.equal([
      'SYN  linux@6.1   1.024 3.072 7.168 given up at 15.36',
      '     linux@6.12  1.024 2.0485 given up at 15.36',
    ]);
    expect(timerLines(table, 40).slice(1)).to.deep.equal([
      'SYN  linux@6.1   1.024 3.072 7.168',
      '                 given up at 15.36',
      '     linux@6.12  1.024 2.0485',
      '                 given up at 15.36',
    ]);
  });

  it('is nothing where no timer was seen', () => {
    expect(timerLines(timerTable([]), 80)).to.deep.equal([]);
  });

  it('keeps nanoseconds in JSON', () => {
    const stored: unknown = JSON.parse(timersToJson(table));
    expect(stored).to.have.property('format', 'lastack-timers');
    expect(stored).to.have.nested.property('schedules[0].offsetsNs[2]', 7_168_000_001);
  });
});
