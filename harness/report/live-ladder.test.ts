import { expect } from 'chai';
import { type Trace, traceWith } from '../trace/index.js';
import { ladder } from './ladder.js';
import { LiveLadder } from './live-ladder.js';

const TERMINAL = { color: false, columns: 120 };
const MS = 1_000_000;

const whole = traceWith(
  { scenario: 'a close', lab: 'attached', faults: { 'drop final-ack once': 'drop final-ack once' } },
  'client SYN',
  'server SYN,ACK',
  'client ACK',
  '@10 client FIN,ACK',
  'server ACK',
  '+4 server FIN,ACK',
  'client ACK, dropped by drop final-ack once',
  '+206 server FIN,ACK again',
  'client ACK again',
);

/** What a run had recorded by then. */
const until = (atMs: number): Trace => ({
  ...whole,
  events: whole.events.filter(({ atNs }) => atNs <= atMs * MS),
});

/** Without times and blanks. */
const drawn = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => line.replace(/^[ .\d]+/, '').replaceAll(/[─\s]+/g, ' '));

describe('a ladder that grows', () => {
  it('has the rows of the whole one, each once', () => {
    // It leaves so much more room for times.
    const live = new LiveLadder({ ...TERMINAL, columns: TERMINAL.columns + 3 });
    const rows = [5, 12, 12, 100, 1000].flatMap((atMs) =>
      live.rows(until(atMs), atMs * MS, { isLive: true }),
    );
    const all = ladder(whole, TERMINAL).split('\n').slice(3, -1);
    expect(drawn(rows)).to.deep.equal(drawn(all));
  });

  it('leaves for later what has not settled', () => {
    const live = new LiveLadder(TERMINAL);
    expect(live.rows(whole, 12 * MS, { isLive: true }).join('\n')).to.not.include('dropped');
    expect(live.rows(whole, 20 * MS, { isLive: true }).join('\n')).to.include('dropped by fault 1');
  });

  it('shows as under way what a fault keeps, and at the end as lost what it kept to the end', () => {
    const held = traceWith(
      { scenario: 'held', lab: 'attached', faults: { 'hold syn': 'hold syn' } },
      'client SYN, held by hold syn',
    );
    const shown = (isLive: boolean) => new LiveLadder(TERMINAL).rows(held, MS, { isLive }).join('\n');
    expect(shown(true)).to.include('╌╌╌').and.not.include('✗');
    expect(shown(false)).to.include('✗');
  });

  it('explains its marks when it is asked to', () => {
    const live = new LiveLadder(TERMINAL);
    expect(live.legend()).to.deep.equal([]);
    expect(live.head([]).join('')).to.match(/ms +client +server/);
  });
});
