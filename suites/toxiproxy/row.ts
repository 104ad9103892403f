/** A scenario and its row in the table of docs/toxiproxy.md. */
import type { ViaScenario } from '../../harness/index.js';

export interface TableRow {
  /** The toxic as a line, or the situation in words. */
  readonly what: string;
  readonly clientLeg: string;
  readonly serverLeg: string;
  /** What the two programs are told. */
  readonly programs: string;
}

export interface TableScenario extends ViaScenario {
  readonly row: TableRow;
}

const EMPTY = '|---|---|---|---|---|';

/** The table that people look things up in. */
export const lookUpTable = (scenarios: readonly TableScenario[]): string =>
  [
    '| what | client — proxy | proxy — server | the programs | scenario |',
    EMPTY,
    ...scenarios.map(
      ({ id, row }) => `| ${row.what} | ${row.clientLeg} | ${row.serverLeg} | ${row.programs} | \`${id}\` |`,
    ),
  ].join('\n');

/** Each check with the place in Toxiproxy's source that makes it so. */
export const checkTable = (scenarios: readonly TableScenario[]): string =>
  [
    '| scenario | check | what is true | in Toxiproxy |',
    '|---|---|---|---|',
    ...scenarios.flatMap(({ id, checks }) =>
      checks.map((check) => `| \`${id}\` | \`${check.id}\` | ${check.sentence} | ${check.source} |`),
    ),
  ].join('\n');
