/**
 * Reports on their way to the main thread, gathered so that one message carries many: a message costs both threads
 * more than the packet that it tells of.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Nanos } from '../../../clock/index.js';
import type { SegmentRecord } from '../../../wire/index.js';
import type { Report } from './protocol.js';
import { RecordPacker } from './record-pack.js';

const MOST_REPORTS = 512;
const LONGEST_WAIT_NS = 1_000_000;
const CHUNK_OCTETS = 4096;
/** Larger packets get memory of their own. */
const SMALL_PACKET_OCTETS = 512;

export class Outbox {
  readonly #port: MessagePort;
  readonly #now: () => Nanos;
  readonly #packer = new RecordPacker();
  #reports: Report[] = [];
  #firstNs: Nanos | undefined;
  #isUrgent = false;
  #chunk = new Uint8Array(CHUNK_OCTETS);
  #chunkUsed = 0;

  constructor(port: MessagePort, now: () => Nanos) {
    this.#port = port;
    this.#now = now;
  }

  /** Octets that stay as they are, of a packet that will be overwritten. Small ones share memory: it is cheaper. */
  keep(packet: Uint8Array): Uint8Array {
    const octets = packet.length;
    if (octets > SMALL_PACKET_OCTETS) return packet.slice();
    if (this.#chunkUsed + octets > CHUNK_OCTETS) {
      this.#chunk = new Uint8Array(CHUNK_OCTETS);
      this.#chunkUsed = 0;
    }
    const kept = this.#chunk.subarray(this.#chunkUsed, this.#chunkUsed + octets);
    kept.set(packet);
    this.#chunkUsed += octets;
    return kept;
  }

  arrived(lab: number, record: SegmentRecord): void {
    this.#firstNs ??= this.#now();
    if (!this.#packer.pack(lab, record)) this.put({ kind: 'arrived', lab, record });
    else if (this.#packer.records >= MOST_REPORTS) this.#isUrgent = true;
  }

  /** Urgent reports are those that somebody waits for. */
  put(report: Report, options: { readonly isUrgent?: boolean } = {}): void {
    this.#firstNs ??= this.#now();
    this.#closePack();
    this.#reports.push(report);
    if (options.isUrgent === true || this.#reports.length >= MOST_REPORTS) this.#isUrgent = true;
  }

  /** When it has to be posted. */
  get dueNs(): Nanos {
    if (this.#firstNs === undefined) return Number.POSITIVE_INFINITY;
    return this.#isUrgent ? this.#firstNs : this.#firstNs + LONGEST_WAIT_NS;
  }

  postDue(nowNs: Nanos): void {
    if (nowNs < this.dueNs) return;
    this.#closePack();
    this.#port.postMessage(this.#reports);
    this.#reports = [];
    this.#firstNs = undefined;
    this.#isUrgent = false;
  }

  /** What is packed comes before what is put next. */
  #closePack(): void {
    if (!this.#packer.isEmpty) this.#reports.push({ kind: 'packed', records: this.#packer.take() });
  }
}
