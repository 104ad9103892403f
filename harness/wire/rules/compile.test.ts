import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseFault, ROLE_WORDS } from '../../fault/index.js';
import { compileRules, receivingSide, rulesText } from './compile.js';
import { PICKS } from './picks.fixture.js';
import type { RulePlace } from './place.js';
import { refusalText } from './refusal.js';
import { type Compiled, DIALECTS, type Dialect } from './rule-set.js';

const PLACE = { side: 'server', client: '192.0.2.1', port: 80 } as const;

function compiled(as: Dialect, lines: string | readonly string[], place: Partial<RulePlace> = {}): Compiled {
  const faults = [lines].flat().map(parseFault);
  return compileRules(faults, {
    as,
    place: { ...PLACE, ...(as === 'tc' && { interface: 'eth0' }), ...place },
  });
}

const textOf = (result: Compiled): string =>
  result.kind === 'rules'
    ? rulesText(result.rules)
    : expect.fail(result.refusals.map(refusalText).join('; '));

const refusalOf = (result: Compiled): string =>
  result.kind === 'refused'
    ? result.refusals.map(refusalText).join('; ')
    : expect.fail(rulesText(result.rules));

describe('a match', () => {
  for (const [clause, iptables, nft] of PICKS)
    it(`as a rule: ${clause}`, () => {
      for (const [as, words] of [
        ['iptables', iptables],
        ['nft', nft],
      ] as const) {
        const text = textOf(compiled(as, `drop ${clause}`)).replaceAll("'!'", '!');
        if (typeof words === 'string') expect(text).to.include(words);
        else expect(text).to.match(words);
      }
      expect(textOf(compiled('tc', `drop ${clause}`))).to.include('direct-action bytecode');
    });

  it('searches data behind each length of the TCP header, by iptables', () => {
    const text = textOf(compiled('iptables', 'drop client.data containing "GET /"'));
    expect(text.match(/0>>24=0x45&&32>>28=8' .*--from 52 --hex-string '\|474554202f\|'/g)).to.have.lengthOf(
      1,
    );
    expect(text.match(/--hex-string/g)).to.have.lengthOf(11);
  });

  it('says "not" where iptables wants it', () => {
    const text = textOf(compiled('iptables', 'drop client.data and not segment containing "a"'));
    expect(text).to.match(/-m string --algo kmp --from 40 '!' --hex-string/);
  });

  it('is IPv4 and IPv6 where no address says which', () => {
    const place = { side: 'server', port: 80 } as const;
    const faults = [parseFault('drop client.data')];
    const iptables = textOf(compileRules(faults, { as: 'iptables', place }));
    expect(iptables)
      .to.match(/^iptables .*-I INPUT/m)
      .and.to.match(/^ip6tables .*-I INPUT/m);
    const nft = textOf(compileRules(faults, { as: 'nft', place }));
    expect(nft).to.include('. ip length').and.to.include('. ip6 length');
    const six = textOf(compileRules(faults, { as: 'iptables', place: { ...place, ipVersion: 6 } }));
    expect(six).to.not.match(/^iptables/m);
  });
});

/** What cannot be said, with the reason; by all dialects where none is named. */
const REFUSED: readonly (readonly [fault: string, why: RegExp, dialects?: readonly Dialect[]])[] = [
  ['drop final-ack once', /final-ack: only who follows the connection .*NFQUEUE/],
  ['drop handshake-ack', /handshake-ack: only who follows/],
  ['drop keep-alive', /sequence number/],
  ['drop window-probe', /window that its sender was given/],
  ['drop data in flow 1', /in flow 1: connections are numbered/],
  ['drop 2nd data', /2nd: which segment is a first transmission/],
  ['drop 1st copy of syn', /1st copy: which transmission/],
  ['drop retransmission of data', /remembers what was sent/],
  ['drop data at seq 1..', /at seq 1\.\.: relative numbers need the ISS/],
  ['drop pure-ack at ack 1', /ISS/],
  ['drop data covering 1000', /ISS/],
  ['drop pure-ack acknowledging data', /what it acknowledges/],
  ['drop data with window 100', /window: windows are scaled/],
  ['drop data within 5ms of start', /no moment at which the wire started/],
  ['drop (first syn) or rst', /first: a rule counts what a whole fault picks/],
  ['drop syn or (rst after fin)', /after fin: a time counts for a whole fault/],
  ['hold fin', /hold: no rule keeps/],
  ['reorder data after 2 others', /reorder: no rule keeps/],
  ['corrupt data', /corrupt checksum: .*offloads/],
  ['truncate data to 3 octets', /truncate: no rule makes a segment shorter/],
  ['inject RST on data', /inject: no rule sends/],
  ['replay syn on data', /replay: no rule remembers/],
  ['drop syn with option unknown', /unknown/],
  ['delay syn by 1s', /delay: .*netem/, ['iptables', 'nft']],
  ['duplicate syn', /duplicate: .*netem/, ['iptables', 'nft']],
  ['duplicate syn into 3', /netem makes one copy/, ['tc']],
  ['delay client.syn by 1s', /comes in to the server: name the sender's side/, ['tc']],
  ['drop syn once', /once: a filter of tc has no memory/, ['tc']],
  ['drop first syn', /first: a filter of tc has no memory/, ['tc']],
  ['drop rst after fin', /after or within: a filter of tc has no memory/, ['tc']],
  ['rewrite ttl=3 of syn', /rewrite: it goes by nft/, ['tc']],
  ['drop data containing "GET"', /say how long the data is/, ['tc']],
  ['drop data containing "GET"', /fixed places/, ['nft']],
  ['drop syn with windowScale 7', /windowScale: iptables has no words/, ['iptables']],
  ['drop syn with option nop', /option nop: nft looks/, ['nft']],
  ['drop syn with option eol', /option eol: iptables looks/, ['iptables']],
  ['drop syn 33 times', /33 times: iptables takes a rule for each time/, ['iptables']],
  ['drop rst within 5ms of fin', /5ms: iptables counts whole seconds/, ['iptables']],
  ['rewrite window=0 of data', /window: iptables changes no such field/, ['iptables']],
  ['rewrite mss=536 of data', /mss: iptables sets it on SYNs only/, ['iptables']],
  ['rewrite seq=iss+1 of data', /seq=iss\+1: numbers in words need the flow/, ['nft']],
  ['rewrite payload="x" of data', /payload: no rule changes the length/, ['nft']],
  ['rewrite sackPermitted=on of syn', /nft adds no option/, ['nft']],
  ['rewrite windowScale=0 of syn', /no option of one octet/, ['nft']],
];

describe('what no rule can say', () => {
  for (const [fault, why, dialects = DIALECTS] of REFUSED)
    it(`is refused, with the part and the reason: ${fault} (${dialects.join(', ')})`, () => {
      for (const as of dialects) expect(refusalOf(compiled(as, fault))).to.match(why);
    });

  it('is refused of each fault that has such a part', () => {
    const result = compiled('iptables', ['drop final-ack', 'hold syn', 'drop rst']);
    expect(result.kind === 'refused' && result.refusals.map(({ fault }) => fault)).to.deep.equal([
      'drop final-ack',
      'hold syn',
    ]);
  });

  it('is a count that an earlier drop hides, and a second rewrite', () => {
    expect(refusalOf(compiled('nft', ['drop syn', 'drop first 2 segment']))).to.match(
      /cannot see what a rule before/,
    );
    expect(refusalOf(compiled('nft', ['rewrite ttl=3 of syn', 'rewrite window=0 of data']))).to.match(
      /one rewrite/,
    );
    expect(refusalOf(compiled('tc', ['drop syn', 'drop rst']))).to.match(/tc counts all of them as one/);
  });

  it('is two faults of one name', () => {
    expect(() => compiled('nft', ['drop syn', 'drop syn'])).to.throw('two faults are called "drop syn"');
  });

  it('is any part of the language: what is not refused has rules, in every dialect', () => {
    const docs = readFileSync(new URL('../../../../docs/fault-plans.md', import.meta.url), 'utf8');
    const lines = [...docs.matchAll(/^```fault\n(.*?)^```/gms)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    );
    expect(lines.length).to.be.above(20);
    for (const line of [...lines, ...ROLE_WORDS.map((role) => `drop ${role}`)])
      for (const as of DIALECTS) {
        const result = compiled(as, line);
        if (result.kind === 'rules') expect(result.rules.apply, line).to.not.be.empty;
        else for (const { why } of result.refusals) expect(why, line).to.not.equal('');
      }
  });
});

describe('what rules are not quite', () => {
  for (const [fault, note] of [
    ['drop client.pure-ack', 'a keep-alive or window probe without data looks like an ACK'],
    ['drop client.data', 'a keep-alive with an octet'],
    ['drop client.data', 'switch segment offloads off'],
    ['drop server.fin', 'its own TCP is told: that is no loss'],
    ['rewrite mss=536 of client.syn', 'lowers it only'],
    ['rewrite remove=timestamps of client.syn', 'with NOPs'],
  ] as const)
    it(`is said beside them: ${fault}: ${note}`, () => {
      for (const as of ['iptables', 'nft'] as const) expect(textOf(compiled(as, fault))).to.include(note);
    });

  it('is not said where it is not so', () => {
    expect(textOf(compiled('nft', 'drop client.segment of 0 octets'))).to.not.include('keep-alive');
    expect(textOf(compiled('nft', 'drop client.data of 10..20 octets'))).to.not.include('keep-alive');
    expect(textOf(compiled('iptables', 'drop client.syn once'))).to.not.include('note:');
    expect(textOf(compiled('tc', 'drop client.syn'))).to.not.include('note:');
  });

  it('is "once" for each version of IP, by iptables', () => {
    const place = { side: 'server', port: 80 } as const;
    const faults = [parseFault('drop client.syn once')];
    expect(textOf(compileRules(faults, { as: 'iptables', place }))).to.include('counted apart');
    expect(textOf(compileRules(faults, { as: 'nft', place }))).to.not.include('counted apart');
  });
});

describe('the place of rules', () => {
  it('is the end that receives, unless it is said', () => {
    const side = (...lines: readonly string[]) => receivingSide(lines.map(parseFault));
    expect(side('drop client.syn')).to.equal('server');
    expect(side('drop server.fin', 'drop syn-ack')).to.equal('client');
    expect(side('drop server.fin', 'drop client.fin')).to.equal('server');
    expect(side('drop fin')).to.equal('server');
  });

  for (const [side, fault, hook] of [
    ['server', 'drop client.syn', 'INPUT'],
    ['server', 'drop server.fin', 'OUTPUT'],
    ['client', 'drop server.fin', 'INPUT'],
    ['between', 'drop server.fin', 'FORWARD'],
  ] as const)
    it(`is ${hook} for "${fault}" on ${side}`, () => {
      const text = textOf(compiled('iptables', fault, { side }));
      expect([...text.matchAll(/-I (\w+)/g)].map(([, chain]) => chain)).to.deep.equal([hook]);
      expect(textOf(compiled('nft', fault, { side }))).to.include(
        `hook ${hook.toLowerCase()} priority mangle`,
      );
    });

  for (const [what, place, why] of [
    ['no place', { side: 'server' }, /--port/],
    ['no address', { side: 'server', client: 'localhost' }, /"localhost" is no IP address/],
    [
      'addresses of two versions',
      { side: 'server', client: '192.0.2.1', server: '2001:db8::1' },
      /name one version/,
    ],
    ['one address for both', { side: 'server', client: '::1', server: '::1' }, /--port/],
  ] as const)
    it(`is told in one sentence to be wrong: ${what}`, () => {
      expect(() => compileRules([], { as: 'iptables', place })).to.throw(why);
    });

  it('is an interface for tc, and none for the others', () => {
    const place = { side: 'server', port: 80 } as const;
    expect(() => compileRules([], { as: 'tc', place })).to.throw('--interface');
    expect(() => compileRules([], { as: 'nft', place: { ...place, interface: 'eth0' } })).to.throw(
      '--interface',
    );
    expect(() =>
      compileRules([], { as: 'tc', place: { ...place, interface: 'eth0', chain: 'INPUT' } }),
    ).to.throw('--chain');
  });
});

describe('the text of rules', () => {
  for (const [name, as, lines, place] of [
    ['iptables-once', 'iptables', ['drop client.syn once'], {}],
    ['iptables-rewrite', 'iptables', ['rewrite ttl=3, mss=536, remove=timestamps of client.syn'], {}],
    [
      'iptables-since',
      'iptables',
      ['drop client.fin 2s to 5s after server.fin'],
      { chain: 'FORWARD', side: 'between' },
    ],
    ['nft-once', 'nft', ['drop client.syn once', 'drop client.data of 10..20 octets or rst'], {}],
    ['nft-since', 'nft', ['drop first 2 client.fin 200ms to 500ms after server.fin'], {}],
    [
      'nft-rewrite',
      'nft',
      ['rewrite window=0, flags=PSH,ACK, timestamps=1:0, remove=sack of client.syn'],
      {},
    ],
    ['tc-drop', 'tc', ['drop client.syn'], {}],
    ['tc-delay', 'tc', ['delay client.fin by 1.5ms'], { side: 'client' }],
  ] as const)
    it(`is as it was: ${name}`, () => {
      const file = new URL(`../../../../harness/wire/rules/golden/${name}.txt`, import.meta.url);
      expect(textOf(compiled(as, lines, place))).to.equal(readFileSync(file, 'utf8'));
    });
});
