/** How a trace is put into words: flags and numbers of a segment, its roles, what faults did to it. */
import type { FaultMark, FlowFacts, Role } from '../fault/index.js';
import { describeSegment } from '../segment/index.js';
import { copyOf } from './query.js';
import type { SegmentEvent, Trace } from './trace.js';

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  syn: 'SYN',
  'syn-ack': 'SYN,ACK',
  'handshake-ack': 'handshake ACK',
  data: 'data',
  'pure-ack': 'pure ACK',
  'active-fin': 'FIN of the active closer',
  'active-fin-ack': 'ACK of the active FIN',
  'passive-fin': 'FIN of the passive closer',
  'final-ack': 'final ACK',
  rst: 'RST',
  'keep-alive': 'keep-alive',
  'window-probe': 'window probe',
};

export const roleName = (role: Role): string => ROLE_NAMES[role];

/** `1st`, `2nd`, `11th`. */
export function ordinal(n: number): string {
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${(isTeen ? undefined : ['th', 'st', 'nd', 'rd'][n % 10]) ?? 'th'}`;
}

/** The roles that say more than the segment's flags do. An ACK with a better name is not called pure as well. */
function tellingRoles(roles: readonly Role[]): readonly Role[] {
  return roles.length > 1 ? roles.filter((role) => role !== 'pure-ack') : roles;
}

/**
 * `FIN of the passive closer, 2nd copy`: the segment's roles, and which transmission it is (of each role, where those
 * differ). `nameOf` may give other names, or none to a role that goes without saying.
 */
export function rolesText(facts: FlowFacts, nameOf: (role: Role) => string | undefined = roleName): string {
  const parts = tellingRoles(facts.roles).flatMap((role) => {
    const name = nameOf(role);
    return name === undefined ? [] : [{ name, copy: copyOf(facts, role) }];
  });
  const withCopy = (name: string, copy: number) =>
    [name, copy > 1 ? `${ordinal(copy)} copy` : ''].filter((text) => text !== '').join(', ');
  const [first] = parts;
  if (first === undefined || parts.every(({ copy }) => copy === first.copy))
    return withCopy(parts.map(({ name }) => name).join(' and '), first?.copy ?? facts.copy);
  return parts.map(({ name, copy }) => withCopy(name, copy)).join(' and ');
}

/** `dropped by fault 1 (drop final-ack once)`. */
export function faultText({ what, fault }: FaultMark, trace: Pick<Trace, 'receipts'>): string {
  const text = trace.receipts.find((receipt) => receipt.fault === fault)?.text;
  return `${what} by ${faultName(fault, trace)}${text === undefined ? '' : ` (${text})`}`;
}

/** `fault retry-loss`, or by its number in the plan (`fault 1`) where its one-line text is its only name. */
export function faultName(fault: string, { receipts }: Pick<Trace, 'receipts'>): string {
  const index = receipts.findIndex((receipt) => receipt.fault === fault);
  return `fault ${receipts[index]?.text === fault ? index + 1 : fault}`;
}

/** What there is to say of a segment besides its octets: roles, copy, origin, faults. Empty when nothing is. */
export function segmentRemark(event: SegmentEvent, trace: Pick<Trace, 'receipts'>): string {
  const { facts, origin, faults, held } = event;
  return [
    facts === undefined ? '' : rolesText(facts),
    origin === 'user' ? 'injected by the scenario' : '',
    origin === 'fault' && faults.length === 0 ? 'injected by a fault' : '',
    ...faults.map((mark) => faultText(mark, trace)),
    held ? 'held until the end' : '',
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** A segment in one line, numbers relative to each side's ISS: `FIN,ACK seq=5 ack=1 win=502 len=0`. */
export function segmentText(event: SegmentEvent): string {
  const { segment, facts } = event;
  if (segment === undefined) return `not TCP, ${event.packet.length} octets`;
  return describeSegment(segment, { relSeq: facts?.relSeq, relAck: facts?.relAck });
}
