import { expect } from 'chai';
import type { Check } from '../check/index.js';
import type { Scenario } from './scenario.js';
import { type Filter, matchesName, select, unplayable } from './selection.js';

const check = (...requirements: readonly string[]): Check => ({
  id: requirements.join('-'),
  sentence: 'It holds.',
  requirements,
  judge: () => ({ verdict: 'pass', finding: '', evidence: [] }),
  mutate: (trace) => trace,
});

const scenario = (id: string, more: Partial<Scenario> = {}): Scenario => ({
  id,
  title: 'ensures it',
  play: () => Promise.resolve(),
  checks: [],
  ...more,
});

const SCENARIOS: readonly Scenario[] = [
  scenario('close/four-way', { checks: [check('NOID-27'), check('NOID-30', 'NOID-41')] }),
  scenario('close/lost-fin', { tags: ['loss'], checks: [check('NOID-44')] }),
  scenario('reset/close', { tags: ['loss', 'long'], ipVersions: [4] }),
  scenario('handshake/a+b', {}),
];

const chosen = (filter: Filter): readonly string[] =>
  select(SCENARIOS, filter).map(({ scenario: { id }, ipVersion }) => `${id} ${ipVersion}`);

describe('the selection of scenarios', () => {
  it('takes all, each with the IP versions that it has', () => {
    expect(chosen({})).to.have.length(7);
    expect(chosen({ names: [] })).to.have.length(7);
    expect(chosen({}).filter((each) => each.startsWith('reset'))).to.deep.equal(['reset/close 4']);
  });

  for (const [names, expected] of [
    [['close'], ['close/four-way', 'close/lost-fin', 'reset/close']],
    [['close/four-way'], ['close/four-way']],
    [['four-way'], ['close/four-way']],
    [['close/*'], ['close/four-way', 'close/lost-fin']],
    [['*lost*'], ['close/lost-fin']],
    [
      ['handshake/a+b', 'lost-fin'],
      ['close/lost-fin', 'handshake/a+b'],
    ],
    [['clos'], []],
    [['four.way'], []],
    [['*'], ['close/four-way', 'close/lost-fin', 'reset/close', 'handshake/a+b']],
  ] as const)
    it(`by the name ${names.join(' or ')} takes ${expected.join(', ') || 'nothing'}`, () => {
      expect(chosen({ names, ipVersions: [4] })).to.deep.equal(expected.map((id) => `${id} 4`));
    });

  it('by requirement takes what one of its checks is tied to', () => {
    expect(chosen({ requirements: ['NOID-41'], ipVersions: [4] })).to.deep.equal(['close/four-way 4']);
    expect(chosen({ requirements: ['NOID-41', 'NOID-44'], ipVersions: [4] })).to.have.length(2);
    expect(chosen({ requirements: ['MUST-1'] })).to.deep.equal([]);
  });

  it('by tag takes what has one of them', () => {
    expect(chosen({ tags: ['long'] })).to.deep.equal(['reset/close 4']);
    expect(chosen({ tags: ['long', 'loss'], ipVersions: [4] })).to.have.length(2);
  });

  it('by IP version leaves out what has no such version', () => {
    expect(chosen({ ipVersions: [6] })).to.deep.equal([
      'close/four-way 6',
      'close/lost-fin 6',
      'handshake/a+b 6',
    ]);
  });

  it('takes what fits all filters', () => {
    expect(chosen({ names: ['close'], tags: ['loss'], ipVersions: [6] })).to.deep.equal(['close/lost-fin 6']);
  });

  describe('of scenarios that are too long for real time', () => {
    const long = scenario('long/r2', {
      clock: 'virtual',
      longestTimer: { name: 'R2', ms: 924_000 },
      ipVersions: [4],
    });
    const all = [...SCENARIOS, long];
    const unplayableOnes = (filter: Filter) =>
      select(all, filter).flatMap(({ unplayable: reason }) => reason ?? []);

    it('takes them where the clock is virtual, and nothing stands against playing them', () => {
      expect(select(all, { clock: 'virtual' })).to.deep.include({ scenario: long, ipVersion: 4 });
      expect(select(all, { clock: 'virtual', names: ['long'] })).to.deep.equal([
        { scenario: long, ipVersion: 4 },
      ]);
    });

    it('leaves them out where it is real', () => {
      for (const filter of [{}, { clock: 'real' }, { names: [] }] as const)
        expect(select(all, filter).map((each) => each.scenario)).to.not.include(long);
    });

    it('says why they cannot be played where one is asked for by its name', () => {
      const reason = 'takes 15 min 24 s of real time: play it with --lab virtual';
      expect(unplayableOnes({ names: ['r2'] })).to.deep.equal([reason]);
      expect(unplayableOnes({ names: ['long', 'close'] })).to.deep.equal([reason]);
      expect(unplayable(long)).to.equal(reason);
      expect(unplayable(long, 'virtual')).to.equal(undefined);
    });

    it('says nothing of the others', () => {
      expect(unplayableOnes({ names: ['close'] })).to.deep.equal([]);
    });
  });

  it('matches a whole name, its suite, or its name within the suite', () => {
    const [first] = SCENARIOS;
    if (first === undefined) throw new Error('there is one');
    expect(
      ['close', 'close/four-way', 'four-way', '*way', 'close/*'].every((name) => matchesName(first, name)),
    ).to.equal(true);
    expect(['', 'way', 'four', '/', 'reset'].some((name) => matchesName(first, name))).to.equal(false);
  });
});
