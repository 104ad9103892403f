/** The kinds of field that the agent protocol's messages are made of: big-endian numbers, text, addresses. Pure. */
import { ipBytes, ipv4Text, ipv6Text } from '../../segment/index.js';
import type { Address } from '../endpoint.js';

/** Octets that were expected to be a message or a part of one, and are not. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const FIRST_OCTETS = 64;

export class OctetWriter {
  #octets = new Uint8Array(FIRST_OCTETS);
  #at = 0;

  number(octets: 1 | 2 | 4, value: number): void {
    const end = this.#advance(octets);
    for (let at = end - 1, rest = value; at >= end - octets; at -= 1, rest >>>= 8)
      this.#octets[at] = rest & 0xff;
  }

  octets(part: Uint8Array): void {
    const end = this.#advance(part.length);
    this.#octets.set(part, end - part.length);
  }

  whole(): Uint8Array {
    return this.#octets.slice(0, this.#at);
  }

  /** Makes room for so many octets; where they end. */
  #advance(octets: number): number {
    this.#at += octets;
    if (this.#at > this.#octets.length) {
      const larger = new Uint8Array(2 * this.#at);
      larger.set(this.#octets);
      this.#octets = larger;
    }
    return this.#at;
  }
}

export class OctetReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get remaining(): number {
    return this.#octets.length - this.#at;
  }

  number(octets: 1 | 2 | 4): number {
    let value = 0;
    for (const octet of this.octets(octets)) value = ((value << 8) | octet) >>> 0;
    return value;
  }

  octets(count: number): Uint8Array {
    if (count > this.remaining)
      throw new Malformed(`${count} octets more were expected, and ${this.remaining} are left`);
    this.#at += count;
    return this.#octets.subarray(this.#at - count, this.#at);
  }

  end(): void {
    if (this.remaining > 0) throw new Malformed(`${this.remaining} octets are too many`);
  }
}

export interface Field<T> {
  write(out: OctetWriter, value: T): void;
  read(from: OctetReader): T;
}

export type FieldValue<F> = F extends Field<infer T> ? T : never;

export function encodeField<T>(field: Field<T>, value: T): Uint8Array {
  const out = new OctetWriter();
  field.write(out, value);
  return out.whole();
}

/** Throws `Malformed` unless the octets are this field and nothing else. */
export function decodeField<T>(field: Field<T>, octets: Uint8Array): T {
  const from = new OctetReader(octets);
  const value = field.read(from);
  from.end();
  return value;
}

const unsigned = (octets: 1 | 2 | 4): Field<number> => ({
  write: (out, value) => out.number(octets, value),
  read: (from) => from.number(octets),
});

export const u8 = unsigned(1);
export const u16 = unsigned(2);
export const u32 = unsigned(4);

export const i32: Field<number> = {
  write: (out, value) => out.number(4, value),
  read: (from) => from.number(4) | 0,
};

/** Times in nanoseconds, which have more than 53 bits. */
export const u64: Field<bigint> = {
  write: (out, value) => {
    out.number(4, Number((value >> 32n) & 0xffff_ffffn));
    out.number(4, Number(value & 0xffff_ffffn));
  },
  read: (from) => (BigInt(from.number(4)) << 32n) | BigInt(from.number(4)),
};

/** Whole numbers, exact up to 2^53. */
export const i64: Field<number> = {
  write: (out, value) => {
    const whole = BigInt.asUintN(64, BigInt(value));
    out.number(4, Number(whole >> 32n));
    out.number(4, Number(whole & 0xffff_ffffn));
  },
  read: (from) => {
    const high = BigInt(from.number(4));
    return Number(BigInt.asIntN(64, (high << 32n) | BigInt(from.number(4))));
  },
};

/** One octet, of which anything but 0 is true. */
export const flag: Field<boolean> = {
  write: (out, value) => out.number(1, value ? 1 : 0),
  read: (from) => from.number(1) !== 0,
};

export const text: Field<string> = {
  write: (out, value) => {
    const octets = new TextEncoder().encode(value);
    if (octets.length > 0xffff)
      throw new RangeError(`a text of ${octets.length} octets is too long: 65535 are the most`);
    out.number(2, octets.length);
    out.octets(octets);
  },
  read: (from) => new TextDecoder().decode(from.octets(from.number(2))),
};

/** Octets that reach to the end of the payload. */
export const rest: Field<Uint8Array> = {
  write: (out, value) => out.octets(value),
  read: (from) => from.octets(from.remaining),
};

export const address: Field<Address> = {
  write: (out, { ip, port }) => {
    const octets = ipBytes(ip);
    out.number(1, octets.length === 4 ? 4 : 6);
    out.octets(octets);
    out.number(2, port);
  },
  read: (from) => {
    const family = from.number(1);
    if (family !== 4 && family !== 6)
      throw new Malformed(`an address has family ${family}, which is neither 4 nor 6`);
    const ip = family === 4 ? ipv4Text(from.octets(4)) : ipv6Text(from.octets(16));
    return { ip, port: from.number(2) };
  },
};

/** Octets with their number before them, one behind the other up to the end of the payload. */
export const chunks: Field<readonly Uint8Array[]> = {
  write: (out, value) => {
    for (const chunk of value) {
      out.number(4, chunk.length);
      out.octets(chunk);
    }
  },
  read: (from) => {
    const all: Uint8Array[] = [];
    while (from.remaining > 0) all.push(from.octets(from.number(4)));
    return all;
  },
};

/** A `u32` count and so many of a kind. */
export const list = <T>(of: Field<T>): Field<readonly T[]> => ({
  write: (out, value) => {
    out.number(4, value.length);
    for (const each of value) of.write(out, each);
  },
  read: (from) => {
    const all: T[] = [];
    for (let count = from.number(4); count > 0; count -= 1) all.push(of.read(from));
    return all;
  },
});

/** Fields one behind the other, in the order of their names here. */
export function struct<S extends Readonly<Record<string, Field<unknown>>>>(
  shape: S,
): Field<{ readonly [K in keyof S]: FieldValue<S[K]> }> {
  const fields = Object.entries(shape);
  return {
    write: (out, value) => {
      for (const [name, field] of fields) field.write(out, value[name]);
    },
    read: (from) =>
      Object.fromEntries(fields.map(([name, field]) => [name, field.read(from)])) as {
        [K in keyof S]: FieldValue<S[K]>;
      },
  };
}
