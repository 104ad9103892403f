/**
 * What was sent and is not acknowledged, segment by segment: RFC 6675's scoreboard and RFC 8985's per-segment state. Records lie one
 * behind the other in sequence space, without a gap.
 */
import { type SeqNumber, seqAdd, seqDiff } from '../../harness/segment/index.js';
import type { Nanos } from './time.js';

export interface SentRecord {
  seq: SeqNumber;
  /** Sequence numbers taken: data, and one each for SYN and FIN. */
  length: number;
  readonly isSyn: boolean;
  isFin: boolean;
  isPushed: boolean;
  /** Of the last transmission. */
  sentNs: Nanos;
  /** The place of that transmission among all of the connection's. */
  order: number;
  transmissions: number;
  isSacked: boolean;
  /** Taken for lost, and not sent again since. */
  isLost: boolean;
  /** Octets of IP packet, where it was to find out whether the path takes as many (RFC 4821); else 0. */
  mtuProbe: number;
}

export const endOf = (record: SentRecord): SeqNumber => seqAdd(record.seq, record.length);

/** Records that left are not moved away one by one. */
const COMPACT_AFTER = 64;

export class SentList {
  #records: SentRecord[] = [];
  #head = 0;

  get count(): number {
    return this.#records.length - this.#head;
  }

  get first(): SentRecord | undefined {
    return this.#records[this.#head];
  }

  get last(): SentRecord | undefined {
    return this.count === 0 ? undefined : this.#records.at(-1);
  }

  /** The n-th of those that are left. */
  at(index: number): SentRecord | undefined {
    return this.#records[this.#head + index];
  }

  push(record: SentRecord): void {
    this.#records.push(record);
  }

  shift(): void {
    this.#head += 1;
    if (this.#head < COMPACT_AFTER || this.#head * 2 < this.#records.length) return;
    this.#records.splice(0, this.#head);
    this.#head = 0;
  }

  /** Index of the first record that ends behind `seq`; `count` when there is none. */
  indexOf(seq: SeqNumber): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      const record = this.at(middle);
      if (record !== undefined && seqDiff(endOf(record), seq) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Makes two of one record: the first keeps `length` sequence numbers. */
  split(index: number, length: number): void {
    const record = this.at(index);
    if (record === undefined || length <= 0 || length >= record.length) return;
    const rest: SentRecord = {
      ...record,
      seq: seqAdd(record.seq, length),
      length: record.length - length,
      mtuProbe: 0,
    };
    record.length = length;
    record.isFin = false;
    record.mtuProbe = 0;
    this.#records.splice(this.#head + index + 1, 0, rest);
  }

  /** Takes the record out and puts nothing in its place: only the last one may be. */
  pop(): void {
    if (this.count > 0) this.#records.pop();
  }

  clone(): SentList {
    const copy = new SentList();
    copy.#records = this.#records.slice(this.#head).map((record) => ({ ...record }));
    return copy;
  }
}
