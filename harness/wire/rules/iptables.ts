/**
 * A plan as rules of iptables and ip6tables, in the table `mangle`. Each fault has chains: what it picks, what it has picked
 * (counted there), what it does (counted there). What iptables has no words for is a program of classic BPF in the rule.
 */
import { type Fault, SIDES, type Side } from '../../fault/index.js';
import { literalsOf, type Term } from './atom.js';
import type { Command } from './command.js';
import { iptablesTargets } from './iptables-action.js';
import { iptablesMatches } from './iptables-match.js';
import { localFailureNotes, placeNotes } from './notes.js';
import { directionOf, hookOf, type IpVersion, type RulePlace, versionsOf } from './place.js';
import { type Refusal, type Refuse, unique } from './refusal.js';
import type { Compiled } from './rule-set.js';
import { type Selection, selectionsOf, sendersOf, tooManyRewrites } from './selection.js';

/** `statistic` matches one packet of so many: the first, and then none for a long time. */
const ONE_OF_MANY = 2 ** 31 - 1;
/** Each time that a fault may act is a rule. */
export const MAX_TIMES = 32;

export const countComment = (tag: string, number: number, what: 'matched' | 'acted'): string =>
  `${tag}:${number}:${what}`;

export function compileIptables(faults: readonly Fault[], place: RulePlace, tag: string): Compiled {
  const { selections, refusals: common } = selectionsOf(faults);
  const refusals: Refusal[] = [...common, ...tooManyRewrites(selections)];
  const versions = versionsOf(place);
  const families = versions.map((version) => {
    const family = new Family(version, place, tag);
    for (const selection of selections) {
      const refuse: Refuse = (part, why) => refusals.push({ fault: selection.fault.id, part, why });
      family.add(selection, refuse);
    }
    family.hook(SIDES.filter((side) => selections.some((each) => sendersOf(each).includes(side))));
    return family;
  });
  if (refusals.length > 0) return { kind: 'refused', refusals: unique(refusals) };
  const remembers = selections.some(
    ({ times, atMost, since }) => times !== undefined || atMost !== undefined || since !== undefined,
  );
  const notes = [
    ...placeNotes(selections, place),
    ...(remembers && versions.length > 1
      ? ['IPv4 and IPv6 are counted apart: each has its own "once", "first" and "after"']
      : []),
  ];
  return {
    kind: 'rules',
    rules: {
      dialect: 'iptables',
      place,
      tag,
      faults,
      apply: families.flatMap((family) => family.apply()),
      remove: families.flatMap((family) => family.remove()),
      count: versions.map((version) => ({ argv: [saver(version), '-c', '-t', 'mangle'] })),
      notes,
    },
  };
}

export const iptablesOf = (version: IpVersion): string => (version === 4 ? 'iptables' : 'ip6tables');
const saver = (version: IpVersion): string => `${iptablesOf(version)}-save`;

interface Line {
  readonly chain: string;
  readonly words: readonly string[];
  readonly why?: string;
}

/** The rules of one version of IP. */
class Family {
  readonly #chains: string[] = [];
  readonly #lines: Line[] = [];
  readonly #hooks: { readonly chain: string; readonly words: readonly string[]; readonly why: string }[] = [];

  constructor(
    readonly version: IpVersion,
    readonly place: RulePlace,
    readonly tag: string,
  ) {
    this.#chain(tag);
  }

  #chain(name: string): string {
    this.#chains.push(name);
    return name;
  }

  #line(chain: string, words: readonly string[], why?: string): void {
    this.#lines.push({ chain, words, ...(why !== undefined && { why }) });
  }

  add(selection: Selection, refuse: Refuse): void {
    const { number, text, atMost, times, since, notes } = selection;
    const chain = this.#chain(`${this.tag}-${number}`);
    const all = [...notes, ...localFailureNotes(selection, this.place)];
    const about = [`fault ${number}: ${text}`, ...all.map((note) => `note: ${note}`)].join('\n');
    const rules = selection.terms.flatMap((term) => this.#matches(term, refuse));
    if (rules.length === 1 && since === undefined)
      this.#line(this.tag, [...(rules[0] ?? []), '-j', chain], about);
    else this.#picks(selection, { rules, chain, about }, refuse);
    const picked = this.#gate(chain, atMost, 'first', refuse);
    this.#line(picked, comment(countComment(this.tag, number, 'matched')), 'counts what it picks');
    const acting = this.#gate(picked, times, 'times', refuse);
    const targets = iptablesTargets(selection, this.version, refuse);
    if (targets.length > 1 || targets[0]?.words[1] !== 'DROP') {
      this.#line(acting, comment(countComment(this.tag, number, 'acted')), 'counts what it acts on');
      for (const { words, why } of targets) this.#line(acting, words, why);
      return;
    }
    const note = comment(countComment(this.tag, number, 'acted'));
    this.#line(acting, [...note, ...(targets[0]?.words ?? [])], targets[0]?.why);
  }

  /** Several alternatives, of which the first that matches goes on: nothing is counted twice. */
  #picks(
    selection: Selection,
    { rules, chain, about }: { rules: readonly (readonly string[])[]; chain: string; about: string },
    refuse: Refuse,
  ): void {
    const { number, since } = selection;
    const picks = this.#chain(`${this.tag}-${number}-pick`);
    this.#line(this.tag, ['-j', picks], about);
    if (since !== undefined) this.#since(selection, picks, refuse);
    for (const words of rules) this.#line(picks, [...words, '-g', chain]);
    if (since === undefined) return;
    const seen = recent(this.#list(number), this.version);
    const first = ['!', '--rcheck', ...seen, '--set'];
    for (const words of since.event.flatMap((term) => this.#matches(term, refuse)))
      this.#line(this.tag, [...words, ...seen, ...first], 'remembers that the event has come');
  }

  /** Not before the event, and in its time only. The list has one entry for all addresses, and the time it was made at. */
  #since({ number, since }: Selection, picks: string, refuse: Refuse): void {
    const seen = recent(this.#list(number), this.version);
    this.#line(picks, [...seen, '!', '--rcheck', '-j', 'RETURN'], 'the event has not come');
    const seconds = (ms: number): string => {
      if (ms % 1000 !== 0) refuse(`${ms}ms`, 'iptables counts whole seconds: go by nft');
      return String(ms / 1000);
    };
    const { atLeastMs = 0, atMostMs } = since ?? {};
    if (atLeastMs > 0)
      this.#line(picks, [...seen, '--rcheck', '--seconds', seconds(atLeastMs), '-j', 'RETURN'], 'too early');
    if (atMostMs !== undefined)
      this.#line(
        picks,
        [...seen, '!', '--rcheck', '--seconds', seconds(atMostMs), '-j', 'RETURN'],
        'too late',
      );
  }

  #list(number: number): string {
    return `${this.tag}-${number}-v${this.version}`;
  }

  /** The chain that the first so many get to; the same one where there is no limit. */
  #gate(chain: string, most: number | undefined, what: 'first' | 'times', refuse: Refuse): string {
    if (most === undefined) return chain;
    if (most > MAX_TIMES) {
      refuse(
        what === 'first' ? `first ${most}` : `${most} times`,
        `iptables takes a rule for each time, ${MAX_TIMES} at most: go by nft`,
      );
      return chain;
    }
    const inner = this.#chain(`${chain}-${what === 'first' ? 'm' : 'do'}`);
    for (let i = 1; i <= most; i += 1)
      this.#line(
        chain,
        ['-m', 'statistic', '--mode', 'nth', '--every', String(ONE_OF_MANY), '--packet', '0', '-g', inner],
        i === 1
          ? `the first ${most === 1 ? 'one' : most} only: each such rule lets one of 2^31-1 through`
          : undefined,
      );
    return inner;
  }

  #matches(term: Term, refuse: Refuse): readonly (readonly string[])[] {
    const direction = literalsOf(term, 'sender').flatMap(({ atom }) => directionWords(atom.side, this.place));
    return iptablesMatches(term, this.version, refuse).map((words) =>
      merged(['-p', 'tcp', ...direction, ...words]),
    );
  }

  /** Comes last, so that nothing is picked by half a plan. */
  hook(sides: readonly Side[]): void {
    for (const side of sides)
      this.#hooks.push({
        chain: hookOf(side, this.place),
        words: merged([
          ...['-p', 'tcp', ...directionWords(side, this.place)],
          ...comment(`${this.tag}:from-${side}`),
          ...['-j', this.tag],
        ]),
        why: `all segments from the ${side} go through the plan`,
      });
  }

  apply(): readonly Command[] {
    const argv = (...words: readonly string[]) => [iptablesOf(this.version), '-w', '-t', 'mangle', ...words];
    return [
      ...this.#chains.map((name, i) => ({
        argv: argv('-N', name),
        ...(i === 0 && { why: `IPv${this.version}: a chain for the plan, and some for each fault` }),
      })),
      ...this.#lines.map(({ chain, words, why }) => ({
        argv: argv('-A', chain, ...words),
        ...(why !== undefined && { why }),
      })),
      ...this.#hooks.map(({ chain, words, why }) => ({ argv: argv('-I', chain, ...words), why })),
    ];
  }

  remove(): readonly Command[] {
    const argv = (...words: readonly string[]) => [iptablesOf(this.version), '-w', '-t', 'mangle', ...words];
    return [
      ...this.#hooks.map(({ chain, words }, i) => ({
        argv: argv('-D', chain, ...words),
        ...(i === 0 && { why: `IPv${this.version}: nothing goes through the plan any more` }),
      })),
      ...this.#chains.map((name, i) => ({
        argv: argv('-F', name),
        ...(i === 0 && { why: 'the chains can go when no rule names them' }),
      })),
      ...this.#chains.map((name) => ({ argv: argv('-X', name) })),
    ];
  }
}

/** What tells a side's packets, in words of `-p tcp`. */
export function directionWords(side: Side, place: RulePlace): readonly string[] {
  const { src, dst, srcPort, dstPort } = directionOf(side, place);
  return [
    ...(src === undefined ? [] : ['-s', src]),
    ...(dst === undefined ? [] : ['-d', dst]),
    ...(srcPort === undefined ? [] : ['-m', 'tcp', '--sport', String(srcPort)]),
    ...(dstPort === undefined ? [] : ['-m', 'tcp', '--dport', String(dstPort)]),
  ];
}

export const comment = (text: string): readonly string[] => ['-m', 'comment', '--comment', text];

/** One entry for the addresses of everybody. */
const recent = (list: string, version: IpVersion): readonly string[] => [
  ...['-m', 'recent', '--name', list, '--mask', version === 4 ? '0.0.0.0' : '::'],
];

/** `-p tcp` has loaded the match already: its first words need no `-m tcp`. */
export function merged(words: readonly string[]): readonly string[] {
  const at = words.findIndex((word, i) => word === '-m' && words[i + 1] === 'tcp');
  return at < 0 ? words : [...words.slice(0, at), ...words.slice(at + 2)];
}
