/** Removes rules of ours that nobody removes any more, such as those of a process that was killed. */
import { DEFAULT_TAG } from './default-tag.js';
import { tableName } from './nft.js';
import { type ApplyOptions, RulesUnavailable, Runner } from './runner.js';
import { lifeOfNumber, lifeOfTag, type OwnersLife } from './tag-owner.js';
import { HTB, PREFERENCE } from './tc.js';

export interface SweepOptions extends ApplyOptions {
  /** Those with this tag, or one that begins so (default: all of ours). Filters and qdiscs of tc have none. */
  readonly tag?: string;
}

/** What was removed, a word each. Tools that are not there have left nothing. */
export async function sweepRules({
  tag = DEFAULT_TAG,
  ...options
}: SweepOptions = {}): Promise<readonly string[]> {
  return (await sweep(options, { tag, isGone: () => true })).removed;
}

export interface EndedRules {
  /** Chains, rules into them, tables, filters and qdiscs: of everybody who applied some. */
  readonly before: number;
  readonly removed: number;
  /** Of those that live, of those that cannot be seen from here, and of people who applied what was printed. */
  readonly after: number;
}

/** Removes those whose process has ended, and nothing else. */
export async function sweepEndedRules(options: ApplyOptions = {}): Promise<EndedRules> {
  const ended: Picked = { tag: DEFAULT_TAG, isGone: (life) => life === 'ended' };
  const { removed, kept } = await sweep(options, ended);
  return { before: removed.length + kept.length, removed: removed.length, after: kept.length };
}

/** Which of ours are meant. */
interface Picked {
  readonly tag: string;
  isGone(life: OwnersLife): boolean;
}

interface Swept {
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

const NOTHING: Swept = { removed: [], kept: [] };

async function sweep(options: ApplyOptions, picked: Picked): Promise<Swept> {
  const run = await Runner.open(options);
  const parts = [
    () => sweepIptables(run, 'iptables', picked),
    () => sweepIptables(run, 'ip6tables', picked),
    () => sweepNft(run, picked),
    () => sweepTc(run, picked),
  ];
  const swept: Swept[] = [];
  for (const part of parts) swept.push(await part().catch(nothingThere));
  return joined(swept);
}

const joined = (all: readonly Swept[]): Swept => ({
  removed: all.flatMap(({ removed }) => removed),
  kept: all.flatMap(({ kept }) => kept),
});

function nothingThere(error: unknown): Swept {
  if (error instanceof RulesUnavailable && / is missing: /.test(error.message)) return NOTHING;
  throw error;
}

async function sweepIptables(run: Runner, program: string, picked: Picked): Promise<Swept> {
  const saved = await run.must({ argv: [`${program}-save`, '-t', 'mangle'] });
  const { input, removed, kept } = iptablesSweep(saved, picked);
  if (input !== undefined) await run.must({ argv: [`${program}-restore`, '-w', '--noflush'], input });
  const named = (names: readonly string[]): readonly string[] => names.map((name) => `${program} ${name}`);
  return { removed: named(removed), kept: named(kept) };
}

/** What iptables-restore is to read, from what iptables-save has printed: rules into our chains, then those chains. */
export function iptablesSweep(
  saved: string,
  { tag, isGone }: Picked,
): Swept & { readonly input: string | undefined } {
  const lines = saved.split('\n');
  const ours = new RegExp(`--comment "?(${tag}[A-Za-z0-9-]*):from-(?:client|server)"?(?= |$)`);
  const hooks = lines.flatMap((line) => {
    const owner = line.startsWith('-A ') ? ours.exec(line)?.[1] : undefined;
    return owner === undefined ? [] : [{ line, owner, name: line.split(' ')[1] ?? '' }];
  });
  const chains = lines.flatMap((line) => {
    const name = new RegExp(`^:(${tag}(?:-[A-Za-z0-9-]*)?) - `).exec(line)?.[1];
    return name === undefined ? [] : [{ line, owner: name, name }];
  });
  const isSwept = ({ owner }: { readonly owner: string }): boolean => isGone(lifeOfTag(owner));
  const [goneHooks, goneChains] = [hooks.filter(isSwept), chains.filter(isSwept)];
  const gone = [...goneHooks, ...goneChains];
  const kept = [...hooks, ...chains].filter((each) => !gone.includes(each)).map(({ name }) => name);
  if (gone.length === 0) return { input: undefined, removed: [], kept };
  const input = [
    '*mangle',
    ...goneHooks.map(({ line }) => line.replace('-A', '-D')),
    ...goneChains.map(({ name }) => `-F ${name}`),
    ...goneChains.map(({ name }) => `-X ${name}`),
    'COMMIT\n',
  ].join('\n');
  return { input, removed: gone.map(({ name }) => name), kept };
}

interface NftTable {
  readonly table?: { readonly family: string; readonly name: string };
}

async function sweepNft(run: Runner, { tag, isGone }: Picked): Promise<Swept> {
  const { nftables }: { nftables: readonly NftTable[] } = JSON.parse(
    await run.must({ argv: ['nft', '-j', 'list', 'tables'] }),
  );
  const name = tableName(tag);
  const ours = nftables.flatMap(({ table }) =>
    table?.family === 'inet' && (table.name === name || table.name.startsWith(`${name}_`))
      ? [table.name]
      : [],
  );
  const gone = ours.filter((table) => isGone(lifeOfTag(table)));
  for (const table of gone) await run.must({ argv: ['nft', 'delete', 'table', 'inet', table] });
  const named = (tables: readonly string[]): readonly string[] => tables.map((table) => `nft ${table}`);
  return { removed: named(gone), kept: named(ours.filter((table) => !gone.includes(table))) };
}

interface Qdisc {
  readonly kind: string;
  readonly handle: string;
  readonly dev: string;
  readonly options?: { readonly r2q?: number };
}

interface Filter {
  readonly pref: number;
  readonly options?: { readonly handle?: string };
}

async function sweepTc(run: Runner, picked: Picked): Promise<Swept> {
  const qdiscs: readonly Qdisc[] = JSON.parse(await run.must({ argv: ['tc', '-j', 'qdisc', 'show'] }));
  const swept: Swept[] = [];
  for (const qdisc of qdiscs) {
    if (qdisc.kind === 'htb' && qdisc.handle === HTB) swept.push(await sweepHtb(run, qdisc, picked));
    if (qdisc.kind === 'clsact') swept.push(await sweepClsact(run, qdisc, picked));
  }
  return joined(swept);
}

async function sweepHtb(run: Runner, { dev, options }: Qdisc, { isGone }: Picked): Promise<Swept> {
  const names = [`tc htb ${dev}`];
  if (!isGone(lifeOfNumber(options?.r2q ?? 0))) return { removed: [], kept: names };
  await run.must({ argv: ['tc', 'qdisc', 'del', 'dev', dev, 'root', 'handle', HTB, 'htb'] });
  return { removed: names, kept: [] };
}

/** One that others use as well stays, and so does what is in it: ours is made for our filters alone. */
async function sweepClsact(run: Runner, { dev }: Qdisc, { isGone }: Picked): Promise<Swept> {
  const texts = await Promise.all(
    ['ingress', 'egress'].map((hook) => run.must({ argv: ['tc', '-j', 'filter', 'show', 'dev', dev, hook] })),
  );
  const filters = texts.flatMap((text): readonly Filter[] => JSON.parse(text));
  if (filters.length === 0 || filters.some(({ pref }) => pref !== PREFERENCE)) return NOTHING;
  const names = [`tc clsact ${dev}`];
  // tc prints a filter twice: what all of its preference share, and itself with its handle.
  const owners = filters.flatMap(({ options }) => options?.handle ?? []).map(Number);
  const lives = owners.length === 0 ? (['unknown'] as const) : owners.map(lifeOfNumber);
  if (!lives.every(isGone)) return { removed: [], kept: names };
  await run.must({ argv: ['tc', 'qdisc', 'del', 'dev', dev, 'clsact'] });
  return { removed: names, kept: [] };
}
