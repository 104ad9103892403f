/**
 * A plan as a table of nftables, which is made and removed as one. Each fault has chains: what it picks, what it has picked
 * (counted there), what it does (counted there); named counters and sets are their memory.
 */
import { type Fault, SIDES, type Side } from '../../fault/index.js';
import { ipVersion } from '../../segment/index.js';
import { literalsOf, type Term } from './atom.js';
import { nftStatements } from './nft-action.js';
import { type NftRule, nftMatches } from './nft-match.js';
import { localFailureNotes, placeNotes } from './notes.js';
import { directionOf, hookOf, type IpVersion, type RulePlace, versionsOf } from './place.js';
import { type Refusal, type Refuse, unique } from './refusal.js';
import type { Compiled } from './rule-set.js';
import { type Selection, selectionsOf, sendersOf, tooManyRewrites } from './selection.js';

/** The count begins anew after so many. */
const CYCLE = 2 ** 32 - 1;

export const tableName = (tag: string): string => tag.replaceAll(/[^A-Za-z0-9_]/g, '_');
export const counterName = (number: number, what: 'matched' | 'acted'): string => `fault${number}_${what}`;

export function compileNft(faults: readonly Fault[], place: RulePlace, tag: string): Compiled {
  const { selections, refusals: common } = selectionsOf(faults);
  const refusals: Refusal[] = [...common, ...tooManyRewrites(selections)];
  const table = new Table(place, tag);
  for (const selection of selections) {
    const refuse: Refuse = (part, why) => refusals.push({ fault: selection.fault.id, part, why });
    table.add(selection, refuse);
  }
  table.hook(SIDES.filter((side) => selections.some((each) => sendersOf(each).includes(side))));
  if (refusals.length > 0) return { kind: 'refused', refusals: unique(refusals) };
  const name = tableName(tag);
  return {
    kind: 'rules',
    rules: {
      dialect: 'nft',
      place,
      tag,
      faults,
      // "create" fails where there is such a table already: nothing of anybody else's is added to.
      apply: [{ argv: ['nft', '-f', '-'], input: table.script(), why: 'one table, made at once' }],
      remove: [{ argv: ['nft', 'delete', 'table', 'inet', name], why: 'the table, with all that is in it' }],
      count: [{ argv: ['nft', '-j', 'list', 'counters', 'table', 'inet', name] }],
      notes: placeNotes(selections, place),
    },
  };
}

interface Chain {
  readonly name: string;
  readonly lines: string[];
}

class Table {
  readonly #versions: readonly IpVersion[];
  readonly #memory: string[] = [];
  readonly #chains: Chain[] = [];
  readonly #plan: Chain;

  constructor(
    readonly place: RulePlace,
    readonly tag: string,
  ) {
    this.#versions = versionsOf(place);
    this.#plan = { name: 'plan', lines: [] };
  }

  #chain(name: string): Chain {
    const chain = { name, lines: [] };
    this.#chains.push(chain);
    return chain;
  }

  add(selection: Selection, refuse: Refuse): void {
    const { number, text, atMost, times, since, notes } = selection;
    for (const what of ['matched', 'acted'] as const)
      this.#memory.push(`counter ${counterName(number, what)} { }`);
    const all = [...notes, ...localFailureNotes(selection, this.place)];
    const about = [`fault ${number}: ${text}`, ...all.map((note) => `note: ${note}`)].map(
      (line) => `# ${line}`,
    );
    this.#plan.lines.push(...about);
    const statements = nftStatements(selection, this.#versions, refuse);
    const does = [
      `counter name ${counterName(number, 'acted')}`,
      ...statements.map(({ text: statement, why }) => `${statement} comment "${why}"`),
    ];
    const acting = this.#chain(`fault${number}_do`);
    acting.lines.push(...does);
    const picked = this.#chain(`fault${number}_picked`);
    picked.lines.push(
      `counter name ${counterName(number, 'matched')}`,
      `${atMostWords(times)}goto ${acting.name}`,
    );
    const picks = this.#chain(`fault${number}_pick`);
    this.#plan.lines.push(`jump ${picks.name}`);
    if (since !== undefined) this.#since(selection, picks);
    // The first so many of what any alternative picks: they are counted in one place.
    const target = atMost === undefined ? picked : this.#chain(`fault${number}_first`);
    if (atMost !== undefined) target.lines.push(`${atMostWords(atMost)}goto ${picked.name}`);
    for (const rule of selection.terms.flatMap((term) => this.#rules(term, refuse)))
      picks.lines.push(`${rule}goto ${target.name}`);
    if (since !== undefined) this.#remember(selection, refuse);
  }

  /** Not before the event, and in its time only. */
  #since({ number, since }: Selection, picks: Chain): void {
    const { atLeastMs = 0, atMostMs } = since ?? {};
    this.#memory.push(`set fault${number}_seen { type inet_proto; flags dynamic; }`);
    picks.lines.push('# the event has not come', `meta l4proto != @fault${number}_seen return`);
    if (atLeastMs > 0) {
      this.#memory.push(`set fault${number}_early { type inet_proto; flags dynamic,timeout; }`);
      picks.lines.push('# too early', `meta l4proto @fault${number}_early return`);
    }
    if (atMostMs !== undefined) {
      this.#memory.push(`set fault${number}_late { type inet_proto; flags dynamic,timeout; }`);
      picks.lines.push('# too late', `meta l4proto != @fault${number}_late return`);
    }
  }

  /** Behind the picking, for the event is not behind itself. */
  #remember({ number, since }: Selection, refuse: Refuse): void {
    if (since === undefined) return;
    const { atLeastMs = 0, atMostMs, event } = since;
    const chain = this.#chain(`fault${number}_event`);
    const add = (set: string, ms?: number) =>
      `add @fault${number}_${set} { meta l4proto${ms === undefined ? '' : ` timeout ${durationWord(ms, refuse)}`} }`;
    chain.lines.push(
      `meta l4proto @fault${number}_seen return`,
      ...(atLeastMs > 0 ? [add('early', atLeastMs)] : []),
      ...(atMostMs === undefined ? [] : [add('late', atMostMs)]),
      add('seen'),
    );
    this.#plan.lines.push('# remembers that the event has come');
    for (const rule of event.flatMap((term) => this.#rules(term, refuse)))
      this.#plan.lines.push(`${rule}jump ${chain.name}`);
  }

  /** Words of a rule, each with a space behind it. */
  #rules(term: Term, refuse: Refuse): readonly string[] {
    const [sender] = literalsOf(term, 'sender');
    const direction = sender === undefined ? [] : this.#direction(sender.atom.side);
    return nftMatches(term, this.#versions, refuse).map(({ words }: NftRule) =>
      [...direction, ...words].map((each) => `${each} `).join(''),
    );
  }

  #direction(side: Side): readonly string[] {
    const { src, dst, srcPort, dstPort } = directionOf(side, this.place);
    const address = (which: string, text: string) =>
      `${ipVersion(text) === 4 ? 'ip' : 'ip6'} ${which} ${text}`;
    return [
      ...(src === undefined ? [] : [address('saddr', src)]),
      ...(dst === undefined ? [] : [address('daddr', dst)]),
      ...(srcPort === undefined ? [] : [`tcp sport ${srcPort}`]),
      ...(dstPort === undefined ? [] : [`tcp dport ${dstPort}`]),
    ];
  }

  hook(sides: readonly Side[]): void {
    const [only, another] = this.#versions;
    const version = only !== undefined && another === undefined ? `meta nfproto ipv${only} ` : '';
    const hooks = new Map<string, string[]>();
    for (const side of sides) {
      const hook = hookOf(side, this.place).toLowerCase();
      const rules = hooks.get(hook) ?? [];
      const direction = this.#direction(side).map((each) => `${each} `);
      rules.push(
        `# all segments from the ${side} go through the plan`,
        `${version}meta l4proto tcp ${direction.join('')}jump ${this.#plan.name}`,
      );
      hooks.set(hook, rules);
    }
    this.#chains.push(this.#plan);
    for (const [hook, rules] of hooks)
      this.#chains.push({
        name: hook,
        lines: [`type filter hook ${hook} priority mangle; policy accept;`, ...rules],
      });
  }

  script(): string {
    const name = tableName(this.tag);
    const blocks = this.#chains.map(
      (chain) => `  chain ${chain.name} {\n${chain.lines.map((line) => `    ${line}\n`).join('')}  }\n`,
    );
    const memory = this.#memory.map((line) => `  ${line}\n`);
    return `create table inet ${name}\ntable inet ${name} {\n${[...memory, ...blocks].join('')}}\n`;
  }
}

/** Of a cycle that is never finished the first so many. */
const atMostWords = (most: number | undefined): string =>
  most === undefined ? '' : `numgen inc mod ${CYCLE} < ${most} `;

function durationWord(ms: number, refuse: Refuse): string {
  if (!Number.isInteger(ms) || ms === 0) refuse(`${ms}ms`, 'nft counts whole milliseconds, from 1');
  return `${ms}ms`;
}
