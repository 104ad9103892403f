/**
 * Names for sequence numbers: the RFC's (`iss`, `sndUna`, `sndNxt` of the peer, `irs`, `rcvNxt` of the other side) and those
 * a script gives. A reference is a name with an offset (`iss+1`, `fin.end`, `rcvNxt-100`) or a number.
 */
import {
  FLAG,
  hasFlags,
  type Segment,
  type SeqNumber,
  seqAdd,
  seqDiff,
  seqNumber,
} from '../../segment/index.js';

/** `1001`, `iss+1`, `rcvNxt`, `fin.end`. */
export type SeqRef = number | string;

/** Whose octets a number counts: those the peer sends, or those the other side sends. */
export type SeqSpace = 'own' | 'other';

/** How plain numbers are meant: as they stand in the segment, or counted from that side's initial sequence number. */
export type SeqNumbers = 'absolute' | 'relative';

/** How the numbers of a script are understood and shown. */
export interface SeqReading {
  resolve(reference: SeqRef, space: SeqSpace): SeqNumber;
  text(number: SeqNumber, space: SeqSpace): string;
}

export interface KnownPoints {
  readonly iss: SeqNumber | undefined;
  readonly sndUna: SeqNumber | undefined;
  readonly sndNxt: SeqNumber | undefined;
  readonly irs: SeqNumber | undefined;
  readonly rcvNxt: SeqNumber | undefined;
}

const KNOWN = ['iss', 'sndUna', 'sndNxt', 'irs', 'rcvNxt'] as const;
const isKnown = (name: string): name is (typeof KNOWN)[number] => (KNOWN as readonly string[]).includes(name);
const REFERENCE = /^([A-Za-z][\w.]*)\s*(?:([+-])\s*(\d+))?$/;
const NAME = /^[A-Za-z]\w*$/;

export class SequencePoints {
  readonly #known: () => KnownPoints;
  readonly #numbers: SeqNumbers;
  readonly #named = new Map<string, SeqNumber>();

  constructor(known: () => KnownPoints, numbers: SeqNumbers) {
    this.#known = known;
    this.#numbers = numbers;
  }

  /** Gives `name` to the first of `length` sequence numbers, and `name.end` to the one behind the last. */
  name(name: string, start: SeqNumber, length = 0): void {
    if (!NAME.test(name) || isKnown(name)) {
      throw new RangeError(
        `"${name}" cannot name a sequence number: take letters and digits, none of ${KNOWN}`,
      );
    }
    this.#named.set(name, start);
    this.#named.set(`${name}.end`, seqAdd(start, length));
  }

  /** `unknown` stands for the initial sequence number of that side as long as it is not known. */
  resolve(reference: SeqRef, space: SeqSpace, unknown: SeqNumber = seqNumber(0)): SeqNumber {
    if (typeof reference === 'number') return seqAdd(this.#base(space) ?? unknown, reference);
    const match = REFERENCE.exec(reference.trim());
    if (match === null) {
      throw new RangeError(
        `"${reference}" is no sequence number: write a number, a name, or a name with +n or -n`,
      );
    }
    const [, name = '', sign, offset = '0'] = match;
    const point = isKnown(name) ? this.#known()[name] : this.#named.get(name);
    if (point === undefined) {
      const names = [...KNOWN.filter((known) => this.#known()[known] !== undefined), ...this.#named.keys()];
      throw new RangeError(
        `no sequence number is called "${name}" yet: there are ${names.join(', ') || 'none'}`,
      );
    }
    return seqAdd(point, sign === '-' ? -Number(offset) : Number(offset));
  }

  /** For people: `1001 (iss+1)`. */
  text(number: SeqNumber, space: SeqSpace): string {
    const name = space === 'own' ? 'iss' : 'irs';
    const initial = this.#known()[name];
    if (initial === undefined) return String(number);
    const ahead = seqDiff(number, initial);
    return `${number} (${name}${ahead === 0 ? '' : ahead > 0 ? `+${ahead}` : ahead})`;
  }

  /** For comparing with a segment that came: its own SYN is where relative numbers of the other side begin. */
  reading(segment: Segment): SeqReading {
    const begin = hasFlags(segment, FLAG.SYN) ? segment.seq : seqNumber(0);
    return {
      resolve: (reference, space) => this.resolve(reference, space, space === 'other' ? begin : seqNumber(0)),
      text: (number, space) => this.text(number, space),
    };
  }

  #base(space: SeqSpace): SeqNumber | undefined {
    if (this.#numbers === 'absolute') return seqNumber(0);
    return space === 'own' ? this.#known().iss : this.#known().irs;
  }
}
