/** Plans of faults from YAML or JSON files. */
import { type Document, isAlias, isNode, LineCounter, parseDocument } from 'yaml';
import type { Fault } from './fault.js';
import { withId } from './fault-line.js';
import { parseFault, parseMatch } from './parse-fault.js';
import { PlanError } from './plan-error.js';
import { faultDraftSchema } from './schema.js';
import { issueText, pathText } from './schema-issue.js';

/** Where a plan came from, for errors. */
export interface PlanSource {
  readonly file: string;
}

type Path = readonly (string | number)[];

/**
 * A list of faults, or `{faults: [...]}`. Each is a line of text or an object; in an object every match may be text too,
 * and an action that needs no more than its name may be that name. Throws a `PlanError` that names file, line and path.
 */
export function parsePlan(text: string, { file }: PlanSource): Fault[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const where = (path: Path): string => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const start = isNode(node) && !isAlias(node) ? node.range?.[0] : undefined;
    if (start === undefined) return path.length === 0 ? file : where(path.slice(0, -1));
    return `${file}:${lines.linePos(start).line}`;
  };
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new PlanError(`${file}:${lines.linePos(problem.pos[0]).line}: ${problem.message}`);
  }
  const content = located(file, () => plainContent(document));
  const isObject = isRecord(content) && !Array.isArray(content);
  const items = isObject ? content.faults : content;
  if (!Array.isArray(items)) {
    throw new PlanError(`${where([])}: write a list of faults, or an object with the list under "faults"`);
  }
  const base: Path = isObject ? ['faults'] : [];
  return items.map((item: unknown, i) => parseItem(item, [...base, i], where));
}

/** Throws where an alias has no anchor, or there are so many that the content explodes. */
function plainContent(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw error instanceof ReferenceError ? new PlanError(error.message) : error;
  }
}

function parseItem(item: unknown, path: Path, where: (path: Path) => string): Fault {
  const at = (inner: Path) => `${where([...path, ...inner])}, ${pathText([...path, ...inner])}`;
  if (typeof item === 'string') return located(at([]), () => parseFault(item));
  const result = faultDraftSchema.safeParse(spelledOut(item, [], at));
  if (result.success) return withId(result.data);
  const [issue] = result.error.issues;
  const inner = (issue?.path ?? []).filter((key) => typeof key !== 'symbol');
  throw issueText(where([...path, ...inner]), result.error, path);
}

/** Keys whose value is a match, or a list of them. */
const MATCH_KEYS = ['match', 'until', 'event', 'acknowledges', 'not', 'of', 'allOf', 'anyOf'];

/** The item with each match in words replaced by its data, and the name of an action by the action. */
function spelledOut(value: unknown, path: Path, at: (path: Path) => string): unknown {
  const key = path.findLast((part) => typeof part === 'string');
  if (typeof value === 'string') {
    if (path.length === 1 && key === 'action') return { kind: value };
    const isMatch = key !== undefined && MATCH_KEYS.includes(key);
    return isMatch ? located(at(path), () => parseMatch(value)) : value;
  }
  if (Array.isArray(value)) return value.map((each: unknown, i) => spelledOut(each, [...path, i], at));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, spelledOut(inner, [...path, name], at)]),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function located<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof PlanError ? new PlanError(`${where}: ${error.message}`) : error;
  }
}
