/** A story's view of its lab's wire, wherever that runs: the records as they come, and the commands that scenarios give. */
import { type Clock, NANOS_PER_MS } from '../clock/index.js';
import { type Fault, type Match, Matcher, matchLine, type Receipt, type Side } from '../fault/index.js';
import { decode } from '../segment/index.js';
import { RecordBook, type SegmentRecord, TimeoutError, type WireControl } from '../wire/index.js';
import type { SyncResult, WireReport, WireRequest } from './wire-request.js';

const SEES_WITHIN_MS = 10_000;

/** Asks the wire; the answer is of the kind that the request names. */
export type Ask = (request: WireRequest) => Promise<unknown>;

/** Somebody who waits for a segment. */
interface Waiting {
  arrived(record: SegmentRecord): void;
  delivered(record: SegmentRecord): void;
  fail(error: Error): void;
}

export class WireDesk implements WireControl {
  readonly #clock: Clock;
  readonly #ask: Ask;
  readonly #book = new RecordBook();
  readonly #waiting = new Set<Waiting>();
  #lastNs = 0;
  #failure: Error | undefined;

  constructor(options: { readonly clock: Clock; readonly ask: Ask }) {
    this.#clock = options.clock;
    this.#ask = options.ask;
  }

  async add(...faults: readonly Fault[]): Promise<void> {
    await this.#ask({ kind: 'add', faults });
  }

  async remove(...ids: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'remove', ids });
  }

  async release(fault: string): Promise<number> {
    // The wire answers each kind of request with its own kind of value.
    return (await this.#ask({ kind: 'release', fault })) as number;
  }

  async inject(packet: Uint8Array, to: Side): Promise<void> {
    await this.#ask({ kind: 'inject', packet, to });
  }

  async receipts(): Promise<readonly Receipt[]> {
    return (await this.#ask({ kind: 'receipts' })) as readonly Receipt[];
  }

  records(): readonly SegmentRecord[] {
    return this.#book.records;
  }

  /** Waits until all that happened on the wire so far is in `records`. Throws when the wire has failed. */
  async sync(): Promise<SyncResult> {
    const result = (await this.#ask({ kind: 'sync' })) as SyncResult;
    this.#throwFailure();
    return result;
  }

  sees(match: Match, options: { withinMs?: number; delivered?: boolean } = {}): Promise<SegmentRecord> {
    const { withinMs = SEES_WITHIN_MS, delivered = false } = options;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiting.delete(waiting);
        timer.cancel();
        act();
      };
      const waiting = waitFor(match, delivered, {
        found: (record) => settle(() => resolve(record)),
        failed: (error) => settle(() => reject(error)),
      });
      const expire = async (): Promise<void> => {
        // What has come but not been told yet counts.
        await this.sync();
        const what = `"${matchLine(match)}"${delivered ? ' and was delivered' : ''}`;
        const seen = `it has seen ${this.#book.records.length} packets`;
        waiting.fail(
          new TimeoutError(`no segment on the wire matched ${what} within ${withinMs} ms (${seen})`),
        );
      };
      const timer = this.#clock.at(this.#clock.now() + withinMs * NANOS_PER_MS, () => {
        expire().catch((error: unknown) => waiting.fail(asError(error)));
      });
      this.#waiting.add(waiting);
      if (this.#failure !== undefined) waiting.fail(this.#failure);
      for (const record of this.#book.records) if (this.#waiting.has(waiting)) waiting.arrived(record);
    });
  }

  async quiet({ forMs, withinMs }: { forMs: number; withinMs: number }): Promise<void> {
    const deadlineNs = this.#clock.now() + withinMs * NANOS_PER_MS;
    for (;;) {
      await this.sync();
      const quietNs = this.#lastNs + forMs * NANOS_PER_MS;
      const nowNs = this.#clock.now();
      if (nowNs >= quietNs) return;
      if (nowNs >= deadlineNs)
        throw new TimeoutError(`the wire was not quiet for ${forMs} ms at a stretch within ${withinMs} ms`);
      await new Promise<void>((resolve) => this.#clock.at(Math.min(quietNs, deadlineNs), resolve));
    }
  }

  /** Takes a report of the wire. */
  take(report: WireReport): void {
    switch (report.kind) {
      case 'arrived':
        this.#arrived(report.record);
        return;
      case 'delivered': {
        this.#book.delivered(report.id, report.delivery);
        this.#lastNs = Math.max(this.#lastNs, report.delivery.atNs);
        const record = this.#book.get(report.id);
        if (record !== undefined) for (const waiting of [...this.#waiting]) waiting.delivered(record);
        return;
      }
      case 'updated':
        this.#book.updated(report.id, report.change);
        return;
      case 'failed':
        this.fail(new Error(report.message));
    }
  }

  /** The wire can be trusted no longer: whoever waits for it hears so. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of [...this.#waiting]) waiting.fail(error);
  }

  #arrived(posted: SegmentRecord): void {
    // What is posted shares its memory with the records that came along.
    const record = { ...posted, packet: posted.packet.slice() };
    this.#book.arrived(record);
    const lastNs = record.deliveries.at(-1)?.atNs ?? record.atNs;
    this.#lastNs = Math.max(this.#lastNs, lastNs);
    for (const waiting of [...this.#waiting]) waiting.arrived(record);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/**
 * Feeds a matcher as the fault engine feeds its own, so that ordinals mean the same: segments that a fault has forged
 * are not counted.
 */
function waitFor(
  match: Match,
  mustBeDelivered: boolean,
  outcome: { found(record: SegmentRecord): void; failed(error: Error): void },
): Waiting {
  const matcher = new Matcher(match);
  const underway = new Set<number>();
  return {
    arrived(record) {
      const { id, atNs, from, packet, facts, origin } = record;
      if (facts === undefined || origin === 'fault') return;
      const decoded = decode(packet);
      if (decoded.kind !== 'segment') return;
      if (!matcher.test({ id, atNs, from, packet, segment: decoded.segment }, facts)) return;
      if (!mustBeDelivered || record.deliveries.length > 0) outcome.found(record);
      else underway.add(id);
    },
    delivered(record) {
      if (underway.has(record.id)) outcome.found(record);
    },
    fail: outcome.failed,
  };
}
