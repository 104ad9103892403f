/** The clauses of a match that one segment decides by itself, without memory. */
import { FLAG, type FlagName, type Flags, option, type Segment } from '../segment/index.js';
import type { Arrival, FlowFacts, RolePart } from './flow.js';
import type { FlagsMatch, Match, OptionsMatch, PayloadMatch, RoleWord } from './match.js';
import { allows, includesNumber } from './numbers.js';

/** Whether the segment itself is as described; says nothing of ordinals, copies and events. */
export function fitsClauses(match: Match, { segment }: Arrival, facts: FlowFacts): boolean {
  return (
    (match.role === undefined || hasRole(facts, match.role)) &&
    (match.sender === undefined || facts.from === match.sender) &&
    allows(match.flow, facts.flow) &&
    (match.flags === undefined || fitsFlags(match.flags, segment.flags)) &&
    allows(match.relSeq, facts.relSeq) &&
    allows(match.relAck, facts.relAck) &&
    (match.covers === undefined || covers(facts, match.covers)) &&
    allows(match.window, facts.windowOctets) &&
    (match.options === undefined || fitsOptions(match.options, segment)) &&
    (match.payload === undefined || fitsPayload(match.payload, segment.payload))
  );
}

/** The count of the segment in the role that is asked for. */
export function partOf(facts: FlowFacts, role: RoleWord | undefined): Omit<RolePart, 'role'> {
  if (role === undefined || facts.parts === undefined) return facts;
  return facts.parts.find((part) => part.role === role || (role === 'fin' && isFin(part.role))) ?? facts;
}

const isFin = (role: string): boolean => role === 'active-fin' || role === 'passive-fin';

const hasRole = ({ roles }: FlowFacts, role: RoleWord): boolean =>
  role === 'fin' ? roles.some(isFin) : roles.includes(role);

const bits = (names: readonly FlagName[]): Flags => names.reduce((flags, name) => flags | FLAG[name], 0);

function fitsFlags({ all, none, exactly }: FlagsMatch, flags: Flags): boolean {
  return (
    (all === undefined || (flags & bits(all)) === bits(all)) &&
    (none === undefined || (flags & bits(none)) === 0) &&
    (exactly === undefined || flags === bits(exactly))
  );
}

function covers({ relSeq, len }: FlowFacts, position: number): boolean {
  return relSeq !== undefined && position >= relSeq && position < relSeq + len;
}

function fitsOptions({ present, absent, ...values }: OptionsMatch, segment: Segment): boolean {
  const has = (kind: string) => segment.options.some((candidate) => candidate.kind === kind);
  const timestamps = option(segment, 'timestamps');
  return (
    (present === undefined || present.every(has)) &&
    (absent === undefined || !absent.some(has)) &&
    allows(values.mss, option(segment, 'mss')?.mss) &&
    allows(values.windowScale, option(segment, 'windowScale')?.shift) &&
    allows(values.tsVal, timestamps?.tsVal) &&
    allows(values.tsEcr, timestamps?.tsEcr)
  );
}

function fitsPayload({ length, contains, containsHex }: PayloadMatch, payload: Uint8Array): boolean {
  return (
    (length === undefined || includesNumber(length, payload.length)) &&
    (contains === undefined || viewOf(payload).includes(contains, 0, 'utf8')) &&
    (containsHex === undefined || viewOf(payload).includes(containsHex, 0, 'hex'))
  );
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
