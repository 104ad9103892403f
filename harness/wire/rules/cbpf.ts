/**
 * An assembler for classic BPF (the machine of BSD's bpf(4), as Linux has it in linux/filter.h): instructions with labels
 * to jump to, forward only. Conditional jumps reach 255 instructions; where a label is farther off, a plain jump is put between.
 */

/** BPF_CLASS and the rest, from include/uapi/linux/bpf_common.h. */
const CODE = {
  'ld word': 0x20,
  'ld half': 0x28,
  'ld byte': 0x30,
  'ld word x': 0x40,
  'ld half x': 0x48,
  'ld byte x': 0x50,
  'ld imm': 0x00,
  'ld mem': 0x60,
  'ldx imm': 0x01,
  'ldx mem': 0x61,
  /** X = 4 * (octet & 15): the length of an IPv4 header. */
  'ldx ihl': 0xb1,
  st: 0x02,
  stx: 0x03,
  'add imm': 0x04,
  'add x': 0x0c,
  'sub imm': 0x14,
  'sub x': 0x1c,
  'and imm': 0x54,
  'rsh imm': 0x74,
  tax: 0x07,
  txa: 0x87,
  ret: 0x06,
  ja: 0x05,
} as const;

const JUMP = { jeq: 0x15, jgt: 0x25, jge: 0x35, jset: 0x45, 'jgt x': 0x2d, 'jge x': 0x3d } as const;

export type Operation = keyof typeof CODE;
export type Condition = keyof typeof JUMP;

export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const MAX_REACH = 255;

interface Jump {
  readonly condition: Condition;
  readonly k: number;
  readonly yes: string | undefined;
  readonly no: string | undefined;
}

type Item =
  | { readonly kind: 'plain'; readonly operation: Exclude<Operation, 'ja'>; readonly k: number }
  | { readonly kind: 'goto'; readonly to: string }
  | ({ readonly kind: 'jump' } & Jump)
  | { readonly kind: 'label'; readonly name: string };

export class Assembler {
  readonly #items: Item[] = [];
  #labels = 0;

  /** A label that no other has. */
  fresh(): string {
    this.#labels += 1;
    return `l${this.#labels}`;
  }

  add(operation: Exclude<Operation, 'ja'>, k = 0): this {
    this.#items.push({ kind: 'plain', operation, k });
    return this;
  }

  goto(to: string): this {
    this.#items.push({ kind: 'goto', to });
    return this;
  }

  /** Goes on with the next instruction where a label is not given. */
  jump(condition: Condition, k: number, { yes, no }: { readonly yes?: string; readonly no?: string }): this {
    this.#items.push({ kind: 'jump', condition, k, yes, no });
    return this;
  }

  label(name: string): this {
    this.#items.push({ kind: 'label', name });
    return this;
  }

  /** Throws where a label is not there, or lies behind: classic BPF has no loops. */
  assemble(): readonly Instruction[] {
    const far = new Set<Item>();
    for (;;) {
      const places = placesOf(this.#items, far);
      const tooFar = this.#items.filter((item) => !far.has(item) && reachOf(item, places) > MAX_REACH);
      if (tooFar.length === 0) return this.#items.flatMap((item) => encoded(item, places, far.has(item)));
      for (const item of tooFar) far.add(item);
    }
  }
}

interface Places {
  readonly of: ReadonlyMap<Item, number>;
  readonly labels: ReadonlyMap<string, number>;
}

/** A far jump takes three instructions: the condition, and a plain jump for each way. */
function placesOf(items: readonly Item[], far: ReadonlySet<Item>): Places {
  const of = new Map<Item, number>();
  const labels = new Map<string, number>();
  let at = 0;
  for (const item of items) {
    of.set(item, at);
    if (item.kind === 'label') labels.set(item.name, at);
    else at += far.has(item) ? 3 : 1;
  }
  return { of, labels };
}

function distance(from: number, label: string | undefined, { labels }: Places): number {
  if (label === undefined) return 0;
  const to = labels.get(label);
  if (to === undefined) throw new Error(`no label is called "${label}"`);
  if (to < from) throw new Error(`the label "${label}" lies behind: classic BPF jumps forward only`);
  return to - from;
}

function reachOf(item: Item, places: Places): number {
  if (item.kind !== 'jump') return 0;
  const next = (places.of.get(item) ?? 0) + 1;
  return Math.max(distance(next, item.yes, places), distance(next, item.no, places));
}

function encoded(item: Item, places: Places, isFar: boolean): readonly Instruction[] {
  const at = places.of.get(item) ?? 0;
  switch (item.kind) {
    case 'label':
      return [];
    case 'plain':
      return [{ code: CODE[item.operation], jt: 0, jf: 0, k: item.k >>> 0 }];
    case 'goto':
      return [plainJump(distance(at + 1, item.to, places))];
    case 'jump': {
      const code = JUMP[item.condition];
      const k = item.k >>> 0;
      const to = (label: string | undefined, from: number) =>
        label === undefined ? at + 3 - from : distance(from, label, places);
      if (isFar)
        return [{ code, jt: 0, jf: 1, k }, plainJump(to(item.yes, at + 2)), plainJump(to(item.no, at + 3))];
      return [{ code, jt: distance(at + 1, item.yes, places), jf: distance(at + 1, item.no, places), k }];
    }
  }
}

const plainJump = (k: number): Instruction => ({ code: CODE.ja, jt: 0, jf: 0, k });

/** As `iptables -m bpf --bytecode` and `tc … bpf bytecode` read it: their number, then code, jt, jf and k of each. */
export const bytecode = (program: readonly Instruction[]): string =>
  [program.length, ...program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}`)].join(',');
