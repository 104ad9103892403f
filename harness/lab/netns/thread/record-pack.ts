/**
 * Records of segments that simply passed, as numbers and octets in two arrays: to post them as objects would cost both
 * threads several times what it takes to forward the segment.
 */
import { type FlowFacts, ROLES, type Role, SIDES, type Side } from '../../../fault/index.js';
import type { SegmentRecord } from '../../../wire/index.js';

/** Posted: octets hold the packets one after the other. */
export interface PackedRecords {
  readonly numbers: Float64Array;
  readonly octets: Uint8Array;
}

const ORIGINS: readonly SegmentRecord['origin'][] = ['endpoint', 'peer', 'fault', 'user'];
const FACTS = ['flow', 'copy', 'original', 'relSeq', 'relAck', 'len', 'windowOctets'] as const;
type PackedFact = (typeof FACTS)[number] | 'from' | 'roles';
/** Facts with one of these go as objects. A fact that is in neither list fails to compile here. */
type UnpackedFact = Exclude<keyof FlowFacts, PackedFact> extends 'parts' ? 'parts' : never;
const UNPACKED_FACT: UnpackedFact = 'parts';
const HOOKS: readonly SegmentRecord['hook'][] = [undefined, 'output', 'input'];
/** lab, id, atNs, from, origin, hook, octets, delivered at, roles, and the facts. */
const NUMBERS = 9 + FACTS.length;
const NONE = Number.NaN;
const FIRST_RECORDS = 64;

/** Roles are a set to the record's reader, but keep their order: it is that of the table. */
const ROLE_BITS = new Map(ROLES.map((role, bit) => [role, 1 << bit]));

export class RecordPacker {
  #numbers = new Float64Array(NUMBERS * FIRST_RECORDS);
  #octets = new Uint8Array(4096);
  #records = 0;
  #octetsUsed = 0;

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  get records(): number {
    return this.#records;
  }

  /** False when this record has to go as an object. */
  pack(lab: number, record: SegmentRecord): boolean {
    const { facts, deliveries, faults, held, packet } = record;
    const [delivery, ...more] = deliveries;
    if (
      facts === undefined ||
      facts[UNPACKED_FACT] !== undefined ||
      faults.length > 0 ||
      held ||
      delivery === undefined
    )
      return false;
    if (more.length > 0 || delivery.packet !== undefined || delivery.to === record.from) return false;
    const roles = bitsOf(facts.roles);
    if (roles === undefined) return false;
    this.#makeRoom(packet.length);
    const numbers = this.#numbers;
    let at = this.#records * NUMBERS;
    numbers[at++] = lab;
    numbers[at++] = record.id;
    numbers[at++] = record.atNs;
    numbers[at++] = record.from === 'client' ? 0 : 1;
    numbers[at++] = ORIGINS.indexOf(record.origin);
    numbers[at++] = HOOKS.indexOf(record.hook);
    numbers[at++] = packet.length;
    numbers[at++] = delivery.atNs;
    numbers[at++] = roles;
    for (const name of FACTS) numbers[at++] = facts[name] ?? NONE;
    this.#octets.set(packet, this.#octetsUsed);
    this.#octetsUsed += packet.length;
    this.#records += 1;
    return true;
  }

  take(): PackedRecords {
    const packed = {
      numbers: this.#numbers.slice(0, this.#records * NUMBERS),
      octets: this.#octets.slice(0, this.#octetsUsed),
    };
    this.#records = 0;
    this.#octetsUsed = 0;
    return packed;
  }

  #makeRoom(octets: number): void {
    if ((this.#records + 1) * NUMBERS > this.#numbers.length) {
      const larger = new Float64Array(this.#numbers.length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    if (this.#octetsUsed + octets > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.#octets.length * 2, this.#octetsUsed + octets));
      larger.set(this.#octets);
      this.#octets = larger;
    }
  }
}

/** Undefined when the roles are not in the table's order and would come back in another. */
function bitsOf(roles: readonly Role[]): number | undefined {
  let bits = 0;
  for (const role of roles) {
    const bit = ROLE_BITS.get(role);
    if (bit === undefined || bit < bits) return undefined;
    bits |= bit;
  }
  return bits;
}

export function unpackRecords(
  { numbers, octets }: PackedRecords,
  take: (lab: number, record: SegmentRecord) => void,
): void {
  let octetsAt = 0;
  for (let at = 0; at < numbers.length; at += NUMBERS) {
    const number = (i: number): number => numbers[at + i] ?? NONE;
    const from = SIDES[number(3)] ?? 'client';
    const hook = HOOKS[number(5)];
    const length = number(6);
    const packet = octets.slice(octetsAt, octetsAt + length);
    octetsAt += length;
    take(number(0), {
      kind: 'segment',
      id: number(1),
      atNs: number(2),
      from,
      origin: ORIGINS[number(4)] ?? 'endpoint',
      ...(hook === undefined ? {} : { hook }),
      packet,
      facts: unpackFacts(from, number(8), (i) => number(9 + i)),
      deliveries: [{ atNs: number(7), to: from === 'client' ? 'server' : 'client' }],
      faults: [],
      held: false,
    });
  }
}

function unpackFacts(from: Side, roleBits: number, fact: (index: number) => number): FlowFacts {
  const optional = (index: number): number | undefined =>
    Number.isNaN(fact(index)) ? undefined : fact(index);
  return {
    flow: fact(0),
    from,
    roles: ROLES.filter((_, bit) => (roleBits & (1 << bit)) !== 0),
    copy: fact(1),
    original: fact(2),
    relSeq: optional(3),
    relAck: optional(4),
    len: fact(5),
    windowOctets: fact(6),
  };
}
