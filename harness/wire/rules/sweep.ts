/** Removes rules of ours that nobody removes any more, such as those of a process that was killed. */
import { DEFAULT_TAG } from './compile.js';
import { tableName } from './nft.js';
import { type ApplyOptions, RulesUnavailable, Runner } from './runner.js';
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
  const run = await Runner.open(options);
  const sweeps = [
    () => sweepIptables(run, 'iptables', tag),
    () => sweepIptables(run, 'ip6tables', tag),
    () => sweepNft(run, tag),
    () => sweepTc(run),
  ];
  const removed: string[] = [];
  for (const sweep of sweeps) removed.push(...(await sweep().catch(nothingThere)));
  return removed;
}

function nothingThere(error: unknown): readonly string[] {
  if (error instanceof RulesUnavailable && / is missing: /.test(error.message)) return [];
  throw error;
}

async function sweepIptables(run: Runner, program: string, tag: string): Promise<readonly string[]> {
  const { input, removed } = iptablesSweep(
    await run.must({ argv: [`${program}-save`, '-t', 'mangle'] }),
    tag,
  );
  if (input === undefined) return [];
  await run.must({ argv: [`${program}-restore`, '-w', '--noflush'], input });
  return removed.map((name) => `${program} ${name}`);
}

/** What iptables-restore is to read, from what iptables-save has printed: rules into our chains, then those chains. */
export function iptablesSweep(
  saved: string,
  tag: string,
): { readonly input: string | undefined; readonly removed: readonly string[] } {
  const lines = saved.split('\n');
  const isOurs = new RegExp(`--comment "?${tag}[A-Za-z0-9-]*:from-(client|server)"?(?= |$)`);
  const hooks = lines.filter((line) => line.startsWith('-A ') && isOurs.test(line));
  const chains = lines.flatMap(
    (line) => new RegExp(`^:(${tag}(?:-[A-Za-z0-9-]*)?) - `).exec(line)?.[1] ?? [],
  );
  if (hooks.length + chains.length === 0) return { input: undefined, removed: [] };
  const input = [
    '*mangle',
    ...hooks.map((line) => line.replace('-A', '-D')),
    ...chains.map((name) => `-F ${name}`),
    ...chains.map((name) => `-X ${name}`),
    'COMMIT\n',
  ].join('\n');
  return { input, removed: [...hooks.map((line) => line.split(' ')[1] ?? ''), ...chains] };
}

interface NftTable {
  readonly table?: { readonly family: string; readonly name: string };
}

async function sweepNft(run: Runner, tag: string): Promise<readonly string[]> {
  const { nftables }: { nftables: readonly NftTable[] } = JSON.parse(
    await run.must({ argv: ['nft', '-j', 'list', 'tables'] }),
  );
  const name = tableName(tag);
  const ours = nftables.flatMap(({ table }) =>
    table?.family === 'inet' && (table.name === name || table.name.startsWith(`${name}_`))
      ? [table.name]
      : [],
  );
  for (const table of ours) await run.must({ argv: ['nft', 'delete', 'table', 'inet', table] });
  return ours.map((table) => `nft ${table}`);
}

interface Qdisc {
  readonly kind: string;
  readonly handle: string;
  readonly dev: string;
}

async function sweepTc(run: Runner): Promise<readonly string[]> {
  const qdiscs: readonly Qdisc[] = JSON.parse(await run.must({ argv: ['tc', '-j', 'qdisc', 'show'] }));
  const removed: string[] = [];
  for (const { kind, handle, dev } of qdiscs) {
    const qdisc = ['tc', 'qdisc', 'del', 'dev', dev];
    if (kind === 'htb' && handle === HTB) {
      await run.must({ argv: [...qdisc, 'root', 'handle', HTB, 'htb'] });
      removed.push(`tc htb ${dev}`);
    }
    if (kind !== 'clsact') continue;
    const filters = await Promise.all(
      ['ingress', 'egress'].map((hook) =>
        run.must({ argv: ['tc', '-j', 'filter', 'show', 'dev', dev, hook] }),
      ),
    );
    const preferences = filters.flatMap((text): readonly { pref: number }[] => JSON.parse(text));
    // A clsact that others use as well stays, and so does what is in it: ours is made for our filter alone.
    if (preferences.length === 0 || preferences.some(({ pref }) => pref !== PREFERENCE)) continue;
    await run.must({ argv: [...qdisc, 'clsact'] });
    removed.push(`tc clsact ${dev}`);
  }
  return removed;
}
