/** Faults and matches from their one-line form. */
import { type FaultDraft, readFault } from './action-grammar.js';
import type { Fault } from './fault.js';
import { withId } from './fault-line.js';
import type { Match } from './match.js';
import { readMatch } from './match-grammar.js';
import { faultDraftSchema } from './schema.js';
import { issueText } from './schema-issue.js';
import { TokenReader } from './token-reader.js';

/** `label: drop final-ack once`, or `"a label": …` */
const LABEL = /^\s*(?:([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*"))\s*:/;

/** Throws a `PlanError` that points at the word that does not fit. Without a label, the fault's canonical text is its id. */
export function parseFault(line: string): Fault {
  const [prefix = '', word, quoted] = LABEL.exec(line) ?? [];
  const reader = new TokenReader(line.slice(prefix.length));
  const id = word ?? (quoted === undefined ? undefined : String(JSON.parse(quoted)));
  return withId(checked(reader, reader.is('json') ? reader.json() : readFault(reader)), id);
}

/** A match alone, as it stands in a fault: `2nd copy of server.fin`. */
export function parseMatch(line: string): Match {
  const reader = new TokenReader(line);
  const match = readMatch(reader);
  return reader.is('end') ? match : reader.fail('the end, or another clause');
}

/** The schema has the limits of each number: those of a line are the same. */
function checked(reader: TokenReader, draft: unknown): FaultDraft {
  const result = faultDraftSchema.safeParse(draft);
  if (result.success) return result.data;
  throw issueText(`in "${reader.line}"`, result.error);
}
