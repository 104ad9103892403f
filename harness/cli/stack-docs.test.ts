/** What the documents say of the stack, held against the code, the tests and the catalogue of requirements. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CATALOGUE } from '../spec/index.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const cells = (line: string): readonly string[] => line.split('|').map((cell) => cell.trim());
const named = (text: string): readonly string[] =>
  [...text.matchAll(/`((?:stack|harness)\/[^`]+)`/g)].map(([, code = '']) => code);

/** A function, a method, a class, a type or a constant of that name is defined there. */
const defines = (file: string, name: string): boolean =>
  new RegExp(`(?:(?:function|class|interface|type|const) |^ {2}(?:readonly |get )?#?)${name}\\b`, 'm').test(
    read(file),
  );

describe('docs/stack.md and docs/stack-requirements.md', () => {
  for (const doc of ['docs/stack.md', 'docs/stack-requirements.md'])
    it(`${doc} names files and functions that there are`, () => {
      const wrong = named(read(doc)).filter((code) => {
        const [file = '', name] = code.split(':');
        return !existsSync(join(ROOT, file)) || (name !== undefined && !defines(file, name));
      });
      expect(wrong).to.deep.equal([]);
    });
});

describe('docs/stack.md', () => {
  it('has all sections of RFC 9293 that say what a TCP does', () => {
    const text = read('docs/stack.md');
    const sections = [...new Set(CATALOGUE.filter(({ rfc }) => rfc === 9293).map(({ section }) => section))];
    const missing = sections
      .flatMap((section) => section.split(/[,/]/))
      .map((section) => section.trim())
      .filter((section) => !text.includes(`| ${section} |`) && !text.includes(`| ${section}.1 |`));
    expect(missing).to.deep.equal([]);
  });
});

describe('docs/stack-requirements.md', () => {
  const rows = read('docs/stack-requirements.md')
    .split('\n')
    .filter((line) => /^\| [A-Z]+\d*-\d+ /.test(line))
    .map((line) => {
      const [, id = '', level = '', where = '', tests = ''] = cells(line);
      return { id, level, where, tests };
    });

  it('has each requirement of the catalogue once, with its level', () => {
    const known = CATALOGUE.map(({ id, level }) => `${id} ${level}`).sort();
    expect(rows.map(({ id, level }) => `${id} ${level}`).sort()).to.deep.equal(known);
  });

  it('names for each that is met a place and tests that cite it', () => {
    const wrong = rows.filter(({ id, where, tests }) => {
      const files = named(tests);
      if (named(where).length === 0) return where === '' || files.length > 0;
      return files.length === 0 || !files.every((file) => new RegExp(`${id}(?!\\d)`).test(read(file)));
    });
    expect(wrong).to.deep.equal([]);
  });

  it('counts them', () => {
    const met = rows.filter(({ tests }) => tests !== '').length;
    expect(read('docs/stack-requirements.md')).to.include(
      `Of ${rows.length} rows ${met} are met and tested; ${rows.length - met} are left out`,
    );
  });
});
