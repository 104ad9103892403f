/**
 * Happenings put into rows: a call, the state it leads to, the segment that leaves and the state it causes opposite
 * share one row where they follow each other at once. Nothing is put before what came earlier on its own side.
 */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import { otherSide, type Side } from '../fault/index.js';
import type { Happening } from './ladder-happenings.js';

export type Arrow = Happening & { readonly kind: 'arrow' };
export type State = Happening & { readonly kind: 'state' };
export type Call = Happening & { readonly kind: 'call' };

export interface Cell {
  readonly call?: Call;
  readonly state?: State;
}

export type Row =
  | { readonly kind: 'silence'; readonly ms: number }
  | { readonly kind: 'remark'; readonly atNs: Nanos; readonly text: string }
  | {
      readonly kind: 'step';
      readonly atNs: Nanos;
      readonly client: Cell;
      readonly server: Cell;
      readonly arrow?: Arrow;
    };

type Step = Row & { readonly kind: 'step' };

/** What follows within this time may share a row. */
const TOGETHER_NS = 3 * NANOS_PER_MS;
/** A silence of this length gets a row of its own. */
const SILENCE_NS = 50 * NANOS_PER_MS;

/** `sinceNs`: when the last happening was before the first of these, where there were some. */
export function rowsOf(
  happenings: readonly Happening[],
  fitsCell: (cell: Cell) => boolean,
  sinceNs?: Nanos,
): readonly Row[] {
  const rows: Row[] = [];
  let open: Step | undefined;
  let beganNs = 0;
  let lastNs = sinceNs;
  for (const happening of happenings) {
    const { atNs } = happening;
    const isSilence = lastNs !== undefined && atNs - lastNs >= SILENCE_NS;
    const joined: Step | undefined =
      open !== undefined && !isSilence && atNs - beganNs <= TOGETHER_NS
        ? join(open, happening, fitsCell)
        : undefined;
    if (joined !== undefined) {
      rows[rows.length - 1] = joined;
      open = joined;
    } else {
      if (isSilence) rows.push({ kind: 'silence', ms: (atNs - (lastNs ?? atNs)) / NANOS_PER_MS });
      const row = begin(happening);
      rows.push(row);
      open = row.kind === 'step' ? row : undefined;
      beganNs = atNs;
    }
    lastNs = atNs;
  }
  return rows;
}

function begin(happening: Happening): Row {
  const { atNs, kind } = happening;
  if (kind === 'remark') return happening;
  const empty = { kind: 'step', atNs, client: {}, server: {} } as const;
  if (kind === 'arrow') return { ...empty, arrow: happening };
  return { ...empty, [happening.side]: { [kind]: happening } };
}

/** The row with this happening in it, when the row then still tells what came first. */
function join(row: Step, happening: Happening, fitsCell: (cell: Cell) => boolean): Step | undefined {
  switch (happening.kind) {
    case 'remark':
      return undefined;
    case 'arrow': {
      // What stands at the receiver's end of an arrow is read as its consequence.
      if (row.arrow !== undefined || !isEmpty(row[otherSide(happening.event.from)])) return undefined;
      return { ...row, atNs: happening.atNs, arrow: happening };
    }
    case 'call':
      return row.arrow === undefined && isEmpty(row[happening.side])
        ? withCell(row, happening.side, { call: happening })
        : undefined;
    case 'state': {
      const cell = row[happening.side];
      if (cell.state !== undefined) return undefined;
      const filled = { ...cell, state: happening };
      return fitsCell(filled) ? withCell(row, happening.side, filled) : undefined;
    }
  }
}

const isEmpty = (cell: Cell): boolean => cell.call === undefined && cell.state === undefined;

const withCell = (row: Step, side: Side, cell: Cell): Step => ({ ...row, [side]: cell });
