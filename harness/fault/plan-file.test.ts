import { expect } from 'chai';
import { parsePlan } from './plan-file.js';

const parse = (text: string) => parsePlan(text, { file: 'plan.yaml' });

describe('plan files', () => {
  it('hold lines of text and objects, in which matches may be text too', () => {
    const plan = parse(`
- drop final-ack once
- "held: hold client.fin until server.fin"
- id: late
  match: { role: fin, sender: server, copies: 2 }
  action: { kind: delay, byMs: 300 }
- match: 1st client.data
  action: drop
  times: 1
- match: { anyOf: [client.syn, { role: fin }] }
  action: { kind: replay, of: client.syn }
`);
    expect(plan.map(({ id }) => id)).to.deep.equal([
      'drop final-ack once',
      'held',
      'late',
      'drop 1st client.data once',
      'replay client.syn on client.syn or fin',
    ]);
    expect(plan[1]?.action).to.deep.equal({ kind: 'hold', until: { role: 'fin', sender: 'server' } });
  });

  it('may have the list under "faults", and may be JSON', () => {
    expect(parse('{"faults": ["drop syn"]}').map(({ id }) => id)).to.deep.equal(['drop syn']);
    expect(parse('faults: []')).to.deep.equal([]);
  });

  for (const [text, message] of [
    ['', 'plan.yaml: write a list of faults, or an object with the list under "faults"'],
    ['a: 1', 'plan.yaml:1: write a list of faults, or an object with the list under "faults"'],
    [
      '- drop fin\n- dorp fin',
      'plan.yaml:2, [1]: in "dorp fin", column 1: at "dorp": expected an action; did you mean "drop"?',
    ],
    ['- match: fin\n  acton: drop', 'plan.yaml:1, [0].action: it is missing'],
    [
      '- match: fin\n  action: drop\n  tims: 2',
      'plan.yaml:1, [0]: there is no "tims" here; did you mean "times"?',
    ],
    [
      'faults:\n  - action: drop\n    match:\n      role: finn',
      'plan.yaml:4, faults[0].match.role: "finn" is no role; did you mean "fin"?',
    ],
    [
      '- match: fin\n  action: drop\n- match:\n    not: dta\n  action: drop',
      'plan.yaml:4, [1].match.not: in "dta", column 1: at "dta": expected what to pick; did you mean "data"?',
    ],
    ['- match: {nth: 0}\n  action: drop', 'plan.yaml:1, [0].match.nth: write a whole number of 1 or more'],
    [
      '- match: {copies: all}\n  action: drop',
      'plan.yaml:1, [0].match.copies: write which copies: a whole number of 1 or more, a list of them, {from, to}, or "every"',
    ],
    ['- match: fin\n  action: delay', 'plan.yaml:2, [0].action.byMs: write a number of milliseconds'],
    [
      '- match: fin\n  action: {kind: dropp}',
      'plan.yaml:2, [0].action.kind: write one of drop, delay, hold,',
    ],
    [
      '- match: fin\n  action: {kind: rewrite, set: {seq: next*2}}',
      'plan.yaml:2, [0].action.set.seq: write a sequence number, or iss, next or same, with +N or -N behind it',
    ],
    ['- 5', 'plan.yaml:1, [0]: write an object'],
    ['- match: [\n', 'plan.yaml:2: Flow sequence'],
  ] as const) {
    it(`say where the mistake is in ${JSON.stringify(text)}`, () => {
      expect(() => parse(text))
        .to.throw(message)
        .with.property('name', 'PlanError');
    });
  }
});
