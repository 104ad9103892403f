/** The first problem that the schema found, as one sentence that names where it is. */
import type { z } from 'zod';
import { nearNames } from '../text/index.js';
import { PlanError } from './plan-error.js';
import { ACTION_KINDS } from './words.js';

type Issue = z.ZodError['issues'][number];

const KNOWN_KEYS =
  'id match action times role sender flow flags nth copies atMost relSeq relAck covers window options payload since acknowledges allOf anyOf not all none exactly present absent mss windowScale tsVal tsEcr length contains containsHex event atLeastMs atMostMs kind byMs until after afterMs set toOctets segment of seq ack srcPort dstPort ttl urgentPointer payloadHex setOptions removeOptions faults'.split(
    ' ',
  );

/** `match.anyOf[0].role` */
export const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');

/** `base` is the way to what was checked, in what `where` names. */
export function issueText(
  where: string,
  { issues: [issue] }: z.ZodError,
  base: readonly PropertyKey[] = [],
): PlanError {
  if (issue === undefined) return new PlanError(`${where}: it is no fault`);
  const path = pathText([...base, ...issue.path]);
  return new PlanError(`${where}${path === '' ? '' : `, ${path}`}: ${messageOf(issue)}`);
}

function messageOf(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const guess = nearNames(key, KNOWN_KEYS)[0];
    return `there is no "${key}" here${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
  }
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'kind') {
    return `write one of ${ACTION_KINDS.join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    const expected =
      issue.expected === 'object' || issue.expected === 'array'
        ? `an ${issue.expected}`
        : `a ${issue.expected}`;
    return issue.message.endsWith('received undefined') ? 'it is missing' : `write ${expected}`;
  }
  return issue.message;
}
