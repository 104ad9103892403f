import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Command } from 'commander';
import { allScenarios } from '../../suites/index.js';

import { toxiproxyScenarios } from '../../suites/toxiproxy/index.js';
import { IMAGE_KINDS } from '../docker/index.js';

import { matchesName } from '../run/index.js';
import { parseVersion } from '../uml/index.js';
import { type CommandLine, program } from './program.js';
import { targetName } from './target-name.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FILES = [
  'README.md',
  'reports/README.md',
  'docs/examples/http-service/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

const fenced = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);

/** What stands between backticks in a line, but not words in capitals that stand for others. */
const inline = (text: string): readonly string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, code = '']) => code)
    .filter((code) => !/\b(NAME|LINE|FILE|FOLDER)\b/.test(code));

/** The `lastack …` commands of a file's shell blocks and of its sentences. */
const commandsOf = (text: string): readonly string[] =>
  [...fenced(text, 'sh').flatMap((block) => block.split('\n')), ...inline(text)]
    .flatMap((line) => line.split(' && '))
    .filter((command) => /^(npx )?lastack /.test(command))
    .map((command) => command.replace(/^(npx )?lastack /, ''));

const words = (command: string): readonly string[] =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

async function parsed(command: string): Promise<CommandLine> {
  const lines: CommandLine[] = [];
  const root = program('0', async (line) => {
    lines.push(line);
  });
  const quiet = (each: Command) => each.exitOverride().configureOutput({ writeErr: () => {} });
  for (const each of [root, ...root.commands]) quiet(each);
  await root.parseAsync(words(command), { from: 'user' });
  const [line] = lines;
  if (line === undefined) throw new Error(`"lastack ${command}" does nothing`);
  return line;
}

/** Headings as GitHub makes anchors of them. */
const anchorsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('README.md', () => {
  const lines = read('README.md').split('\n');
  for (const command of ['npm ci && npx lastack repro lost-final-ack', 'npm ci && npm test']) {
    it(`has "${command}" alone in a code block`, () => {
      const at = lines.indexOf(command);
      expect(lines.slice(at - 1, at + 2)).to.deep.equal(['```sh', command, '```']);
    });
  }

  it('names every command and every option', () => {
    const text = lines.join('\n');
    const root = program('0', async () => {});
    for (const command of root.commands) {
      expect(text).to.include(`| \`${command.name()}`);
      for (const { long } of command.options) expect(text).to.include(`\`${long}`);
    }
  });
});

for (const file of FILES) {
  describe(file, () => {
    const text = read(file);

    for (const command of new Set(commandsOf(text))) {
      it(`has a command that can be given: lastack ${command}`, async () => {
        const { command: given, names } = await parsed(command);
        const isName = (name: string): boolean =>
          given.startsWith('kernel')
            ? parseVersion(name) !== undefined
            : given.startsWith('images')
              ? IMAGE_KINDS.some((kind) => kind === name)
              : given === 'attach'
                ? targetName(name).kind !== undefined
                : [...allScenarios, ...toxiproxyScenarios].some((scenario) => matchesName(scenario, name));
        for (const name of names) expect(isName(name)).to.equal(true, name);
      });
    }

    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      it(`links to what is there: ${target}`, () => {
        const [path = '', anchor] = target.split('#');
        const linked = path === '' ? file : join(dirname(file), path);
        expect(existsSync(join(ROOT, linked))).to.equal(true, linked);
        if (anchor !== undefined) expect(anchorsOf(read(linked))).to.include(anchor);
      });
    }
  });
}
