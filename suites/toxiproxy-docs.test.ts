import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { execa } from 'execa';
import { parse } from 'yaml';
import { findToxiproxyServer, netnsCapability, parseFault, parseToxic, readToxic } from '../harness/index.js';
import { checkTable, lookUpTable, toxiproxyScenarios } from './toxiproxy/index.js';

const text = readFileSync(new URL('../../docs/toxiproxy.md', import.meta.url), 'utf8');

const section = (name: string): string =>
  new RegExp(`<!-- ${name} -->\\n(.*?)\\n<!-- end -->`, 's').exec(text)?.[1] ?? `there is no section ${name}`;

const rowsOf = (heading: string): readonly (readonly string[])[] =>
  (text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `') || line.startsWith('| the '))
    .map((line) => line.split('|').slice(1, -1));

const codeIn = (cell = ''): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('docs/toxiproxy.md', () => {
  it('has the table of the scenarios, row by row', () => {
    expect(section('look-up').split('\n')).to.deep.equal(lookUpTable(toxiproxyScenarios).split('\n'));
  });

  it('has the checks of the scenarios, each with its source', () => {
    expect(section('checks').split('\n')).to.deep.equal(checkTable(toxiproxyScenarios).split('\n'));
  });

  it('has a line and data for a toxic that mean the same', () => {
    const rows = rowsOf('Toxics as text and as data');
    expect(rows.length).to.equal(9);
    for (const [line = '', data = ''] of rows) {
      const toxic = parseToxic(codeIn(line)[0] ?? '');
      expect({ ...toxic }).to.deep.equal(readToxic(parse(codeIn(data)[0] ?? '')));
    }
  });

  it('has faults that can be written so', () => {
    const faults = rowsOf('What no toxic can do').flatMap(([, , cell]) => codeIn(cell));
    const whole = faults.filter((fault) => fault.includes(' '));
    expect(whole.length).to.be.greaterThan(5);
    for (const fault of whole) parseFault(fault);
  });
});

describe('the example in docs/toxiproxy.md', () => {
  it('is a test that can be run', async function () {
    this.timeout(30_000);
    const { sentence, way } = netnsCapability();
    if (way !== 'direct' || findToxiproxyServer() === undefined) {
      process.stderr.write(`skipped: ${way === 'direct' ? 'there is no Toxiproxy server' : sentence}\n`);
      this.skip();
    }
    const [, code = ''] = /```ts\n(.*?)```/s.exec(text) ?? [];
    const door = new URL('../harness/index.js', import.meta.url).href;
    const args = ['--input-type=module', '-e', code.replace("'lastack'", `'${door}'`)];
    const { stdout } = await execa(process.execPath, args);
    // The first copy of the proxy's FIN and of the server's, and the one that is repeated.
    expect(stdout).to.equal('3');
  });
});

describe('the scenarios with Toxiproxy', () => {
  it('have ids of their own, and so have the checks of each', () => {
    const ids = toxiproxyScenarios.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { id, checks } of toxiproxyScenarios)
      expect(new Set(checks.map((check) => check.id)).size, id).to.equal(checks.length);
  });
});
