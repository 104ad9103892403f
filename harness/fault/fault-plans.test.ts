import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { VERBS } from './action-grammar.js';
import * as builders from './builders.js';
import { faultLine } from './fault-line.js';
import { parseFault } from './parse-fault.js';
import { parsePlan } from './plan-file.js';
import { ROLE_WORDS } from './words.js';

const text = readFileSync(new URL('../../../docs/fault-plans.md', import.meta.url), 'utf8');

const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
const lines = (language: string): string[] =>
  blocks(language).flatMap((block) => block.split('\n').filter((line) => line !== ''));

describe('docs/fault-plans.md', () => {
  for (const line of lines('fault')) {
    it(`has a fault in "${line}"`, () => {
      const fault = parseFault(line);
      expect(parseFault(faultLine(fault))).to.deep.equal(fault);
    });
  }

  for (const line of lines('ts')) {
    it(`has a builder for the line behind ${line}`, () => {
      const [expression = '', meaning = ''] = line.split(' // ');
      const build = new Function(...Object.keys(builders), `return ${expression}`);
      expect(faultLine(build(...Object.values(builders)))).to.equal(meaning);
    });
  }

  it('has plans that can be read', () => {
    const plans = blocks('yaml').map((block) => parsePlan(block, { file: 'fault-plans.md' }));
    expect(plans.map((plan) => plan.length)).to.deep.equal([3]);
  });

  it('names every role and shows every action', () => {
    for (const role of ROLE_WORDS) expect(text).to.include(`\`${role}\``);
    for (const verb of VERBS)
      expect(lines('fault').some((line) => line.startsWith(verb))).to.equal(true, verb);
  });
});
