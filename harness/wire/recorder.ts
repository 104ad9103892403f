/** Where a wire puts what happens on it, and a book that makes whole records of it again. */
import type { FaultMark } from '../fault/index.js';
import type { Delivery, SegmentRecord } from './record.js';

export interface RecordChange {
  readonly held?: boolean;
  readonly faults?: readonly FaultMark[];
}

export interface Recorder {
  /** A packet came onto the wire; with all that happened to it at once. */
  arrived(record: SegmentRecord): void;
  /** A packet that arrived earlier was handed over just now. It is held no longer. */
  delivered(id: number, delivery: Delivery): void;
  /** Something became known of a packet that arrived earlier. */
  updated(id: number, change: RecordChange): void;
}

/** All records of one wire, by the order of arrival. */
export class RecordBook implements Recorder {
  readonly #records: SegmentRecord[] = [];

  get records(): readonly SegmentRecord[] {
    return this.#records;
  }

  arrived(record: SegmentRecord): void {
    // Arrivals are numbered from 1 without gaps. Those that a fault makes while another arrives come before it.
    this.#records[record.id - 1] = record;
  }

  delivered(id: number, delivery: Delivery): void {
    const record = this.#get(id);
    this.#records[id - 1] = { ...record, held: false, deliveries: [...record.deliveries, delivery] };
  }

  updated(id: number, change: RecordChange): void {
    this.#records[id - 1] = { ...this.#get(id), ...change };
  }

  get(id: number): SegmentRecord | undefined {
    return this.#records[id - 1];
  }

  #get(id: number): SegmentRecord {
    const record = this.#records[id - 1];
    if (record === undefined) throw new RangeError(`the wire has no record ${id}`);
    return record;
  }
}
