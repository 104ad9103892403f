/**
 * Reports on their way to the main thread, gathered so that one message carries many: a message costs both threads
 * more than the packet that it tells of.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Nanos } from '../../../clock/index.js';
import type { Report } from './protocol.js';

const MOST_REPORTS = 512;
const LONGEST_WAIT_NS = 1_000_000;
const CHUNK_OCTETS = 4096;
/** Larger packets get memory of their own. */
const SMALL_PACKET_OCTETS = 512;

export class Outbox {
  readonly #port: MessagePort;
  #reports: Report[] = [];
  #firstNs: Nanos = 0;
  #isUrgent = false;
  #chunk = new Uint8Array(CHUNK_OCTETS);
  #chunkUsed = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Octets that stay as they are, of a packet that will be overwritten. Small ones share memory: cheaper to make and to post. */
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

  /** Urgent reports are those that somebody waits for. */
  put(report: Report, options: { readonly nowNs: Nanos; readonly isUrgent?: boolean }): void {
    if (this.#reports.length === 0) this.#firstNs = options.nowNs;
    this.#reports.push(report);
    if (options.isUrgent === true || this.#reports.length >= MOST_REPORTS) this.#isUrgent = true;
  }

  /** Posts what is due. */
  postDue(nowNs: Nanos): void {
    if (this.#isUrgent || (this.#reports.length > 0 && nowNs - this.#firstNs > LONGEST_WAIT_NS))
      this.postAll();
  }

  postAll(): void {
    if (this.#reports.length === 0) return;
    this.#port.postMessage(this.#reports);
    this.#reports = [];
    this.#isUrgent = false;
  }
}
