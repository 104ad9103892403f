/**
 * What the kernel says of a tracepoint's record in its `format` file: where each field is, and the names of numbers.
 * Fields are found by name, so that a kernel that adds or moves some is read as well.
 */

export interface Field {
  readonly offset: number;
  readonly octets: number;
}

export interface EventFormat {
  readonly name: string;
  /** `common_type` of its records. */
  readonly id: number;
  readonly fields: ReadonlyMap<string, Field>;
  /** Names of a field's values, from `__print_symbolic` of the print format. */
  readonly symbols: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

export function parseEventFormat(text: string): EventFormat {
  const name = /^name: (\S+)$/m.exec(text)?.[1];
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined)
    throw new Error(
      'a tracepoint format file without name or ID: this kernel writes them in a way not known here',
    );
  const fields = new Map<string, Field>();
  for (const [, declaration = '', offset, octets] of text.matchAll(
    /^\tfield:([^;]+);\s*offset:(\d+);\s*size:(\d+);/gm,
  )) {
    const field = /(\w+)(?:\[\w*\])?$/.exec(declaration)?.[1];
    if (field !== undefined) fields.set(field, { offset: Number(offset), octets: Number(octets) });
  }
  return { name, id: Number(id), fields, symbols: parseSymbols(text) };
}

function parseSymbols(text: string): Map<string, ReadonlyMap<number, string>> {
  const symbols = new Map<string, ReadonlyMap<number, string>>();
  for (const [, field = '', list = ''] of text.matchAll(
    /__print_symbolic\(REC->(\w+), ((?:\{[^}]*\}(?:, )?)+)\)/g,
  )) {
    const pairs = [...list.matchAll(/\{ (\d+), "(\w+)" \}/g)];
    symbols.set(field, new Map(pairs.map(([, number, symbol = '']) => [Number(number), symbol])));
  }
  return symbols;
}
