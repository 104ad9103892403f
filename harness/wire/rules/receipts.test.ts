import { expect } from 'chai';
import { parseFault } from '../../fault/index.js';
import { receiptsOf } from './receipts.js';
import type { Dialect, RuleSet } from './rule-set.js';
import { iptablesSweep } from './sweep.js';

const ruleSet = (dialect: Dialect, ...lines: readonly string[]): RuleSet => ({
  dialect,
  place: { side: 'server', port: 80 },
  tag: 'lastack-7',
  faults: lines.map(parseFault),
  apply: [],
  remove: [],
  count: [],
  notes: [],
});

const counts = (rules: RuleSet, ...printed: readonly string[]) =>
  receiptsOf(rules, printed).map(({ fault, matched, acted }) => [fault, matched, acted]);

const SAVED = `*mangle
:INPUT ACCEPT [9:9]
:lastack-7 - [0:0]
:lastack-7-1 - [0:0]
:lastackers - [0:0]
[3:180] -A INPUT -s 192.0.2.1/32 -p tcp -m comment --comment "lastack-7:from-client" -j lastack-7
[1:60] -A INPUT -p tcp -m comment --comment "theirs" -j ACCEPT
[2:120] -A lastack-7-1 -m comment --comment "lastack-7:1:matched"
[1:60] -A lastack-7-1 -m comment --comment lastack-7:1:acted -j DROP
[5:60] -A lastack-7-1 -m comment --comment "lastack-7:11:matched"
[5:60] -A lastack-7-1 -m comment --comment "lastack-77:1:matched"
COMMIT
`;

describe('receipts', () => {
  it('are read from the rules of iptables with our comment, of both versions of IP together', () => {
    const rules = ruleSet('iptables', 'drop client.syn once');
    expect(counts(rules, SAVED)).to.deep.equal([['drop client.syn once', 2, 1]]);
    expect(counts(rules, SAVED, SAVED)).to.deep.equal([['drop client.syn once', 4, 2]]);
    expect(() => counts(rules, '*mangle')).to.throw('no counter of fault 1');
  });

  it("are read from nft's counters by their names", () => {
    const counter = (name: string, packets: number) => ({ counter: { name, packets } });
    const printed = JSON.stringify({
      nftables: [
        { metainfo: {} },
        counter('fault1_matched', 3),
        counter('fault1_acted', 2),
        counter('fault2_matched', 0),
        counter('fault2_acted', 0),
      ],
    });
    expect(counts(ruleSet('nft', 'drop syn twice', 'drop rst'), printed)).to.deep.equal([
      ['drop syn twice', 3, 2],
      ['drop rst', 0, 0],
    ]);
    expect(() => counts(ruleSet('nft', 'drop syn'), '{"nftables":[]}')).to.throw('no counter of fault 1');
  });

  it('are what a clsact dropped, and what has left a netem, by tc', () => {
    const printed = JSON.stringify([
      { kind: 'htb', handle: '4701:', drops: 0, packets: 9 },
      { kind: 'netem', handle: '4702:', drops: 0, packets: 4 },
      { kind: 'clsact', handle: 'ffff:', drops: 2, packets: 20 },
    ]);
    expect(counts(ruleSet('tc', 'drop syn', 'delay fin by 1ms'), printed)).to.deep.equal([
      ['drop syn', 2, 2],
      ['delay fin by 1ms', 4, 4],
    ]);
    expect(() => counts(ruleSet('tc', 'drop syn'), '[]')).to.throw('no such qdisc');
  });
});

describe('what is swept', () => {
  it('are rules into our chains, and those chains', () => {
    const plain = SAVED.replaceAll(/^\[\d+:\d+\] /gm, '');
    const { input, removed } = iptablesSweep(plain, { tag: 'lastack', isGone: () => true });
    expect(input).to.equal(
      `*mangle
-D INPUT -s 192.0.2.1/32 -p tcp -m comment --comment "lastack-7:from-client" -j lastack-7
-F lastack-7
-F lastack-7-1
-X lastack-7
-X lastack-7-1
COMMIT
`,
    );
    expect(removed).to.deep.equal(['INPUT', 'lastack-7', 'lastack-7-1']);
    expect(
      iptablesSweep('*mangle\n:INPUT ACCEPT [0:0]\nCOMMIT\n', { tag: 'lastack', isGone: () => true }).input,
    ).to.equal(undefined);
  });
});
