/** The configuration of a kernel: the smallest there is, and what we want on top of it. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, SourceTree } from './source-tree.js';

/** Ticks a second. User-Mode Linux has no option for it: one of our patches says so, and this sees to it. */
const HZ = 1000;

/** Writes `.config` into the tree, and gives its text. BuildError names what could not be had. */
export async function configure(
  tree: SourceTree,
  fragmentFile: string,
  { workshop, onStep }: Bench,
): Promise<string> {
  onStep({ doing: 'configuring' });
  const config = join(tree.folder, '.config');
  const fragment = readFileSync(fragmentFile, 'utf8');
  const tiny = await workshop.run('make', ['ARCH=um', 'tinyconfig'], { cwd: tree.folder });
  if (tiny.failed) throw workshop.failure(`Linux ${tree.release} cannot be configured`, tiny);
  // The last word on an option counts, so that ours may stand behind theirs.
  appendFileSync(config, fragment);
  const merged = await workshop.run('make', ['ARCH=um', 'olddefconfig'], { cwd: tree.folder });
  if (merged.failed) throw workshop.failure(`Linux ${tree.release} cannot be configured`, merged);
  const text = readFileSync(config, 'utf8');
  const wanted = [...wantedOptions(fragment), ['CONFIG_HZ', String(HZ)] as const];
  const lost = lostOptions(wanted, text);
  const refused = lost.filter((name) => knowsOption(tree.folder, name));
  if (refused.length > 0)
    throw workshop.failure(
      `Linux ${tree.release} does not take ${refused.join(', ')} as its configuration wants`,
    );
  return text;
}

/**
 * Whether User-Mode Linux of this version has an option at all: one that came later, has gone since, or depends on what only
 * other architectures have is no loss.
 */
export function knowsOption(folder: string, name: string): boolean {
  const texts = kconfigFiles(folder).map((file) => readFileSync(file, 'utf8'));
  return isDeclared(name.replace(/^CONFIG_/, ''), texts, new Map());
}

function isDeclared(symbol: string, texts: readonly string[], answers: Map<string, boolean>): boolean {
  const before = answers.get(symbol);
  if (before !== undefined) return before;
  answers.set(symbol, true); // of a circle, somebody else decides
  // The entry, and its lines up to the next that is not indented.
  const entry = new RegExp(`^\\s*(?:menu)?config ${symbol}\\n((?:[ \\t].*\\n|\\n)*)`, 'gm');
  const bodies = texts.flatMap((text) => [...text.matchAll(entry)].map(([, body = '']) => body));
  const isThere = bodies.some((body) => needsOf(body).every((need) => isDeclared(need, texts, answers)));
  answers.set(symbol, isThere);
  return isThere;
}

/** Symbols without which an entry cannot be: those of its dependencies that stand alone or between "&&". */
const needsOf = (body: string): readonly string[] =>
  [...body.matchAll(/^\s+depends on (.*)$/gm)]
    .flatMap(([, condition = '']) => (/\|\||[!()=]/.test(condition) ? [] : condition.split('&&')))
    .map((symbol) => symbol.trim())
    .filter((symbol) => /^[A-Z]\w*$/.test(symbol));

function kconfigFiles(folder: string): readonly string[] {
  return (
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => /(^|\/)Kconfig[^/]*$/.test(path))
      // Processors have options of the same names, which User-Mode Linux does not read.
      .filter((path) => !/^arch\/(?!um\/|x86\/um\/|Kconfig)/.test(path))
      .map((path) => join(folder, path))
  );
}

export type Option = readonly [name: string, value: string];

/** The options of a fragment: `CONFIG_NET=y`, `CONFIG_SMP=n`, `# CONFIG_SMP is not set`. The last word on each counts. */
export function wantedOptions(fragment: string): readonly Option[] {
  const options = new Map<string, string>();
  for (const line of fragment.split('\n')) {
    const [, name, value] = /^(CONFIG_\w+)=(.*?)\s*$/.exec(line) ?? [];
    const [, unset] = /^# (CONFIG_\w+) is not set/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) options.set(name, value);
    if (unset !== undefined) options.set(unset, 'n');
  }
  return [...options];
}

/** Those that a finished configuration has another value for. What it does not mention is off. */
export function lostOptions(wanted: readonly Option[], config: string): readonly string[] {
  const had = new Map(wantedOptions(config));
  return wanted.filter(([name, value]) => (had.get(name) ?? 'n') !== value).map(([name]) => name);
}
