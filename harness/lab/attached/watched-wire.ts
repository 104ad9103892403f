/** A wire through hooks with the eyes on its sockets: the records of both, put together. What an attachment and a wire between two namespaces share. */
import type { Nanos, RealClock } from '../../clock/index.js';
import type { Address } from '../../endpoint/index.js';
import type { DiagSocket, NoteRecord, SideOf, TransitionRecord } from '../../observe/index.js';
import { decode } from '../../segment/index.js';
import type { SegmentRecord, WireControl } from '../../wire/index.js';
import type { LabOptions, Recording } from '../lab.js';
import { Eyes } from '../netns/eyes.js';
import { unpackRecords } from '../netns/thread/record-pack.js';
import { WireDesk } from '../wire-desk.js';
import type { SyncResult } from '../wire-request.js';
import type { RuleCounts } from './namespace-rules.js';
import type { AttachedReport, OnReports, WireHost } from './wire-host.js';

/** All that such a wire saw: what its sockets were told, those who have them know. */
export type WireRecording = Omit<Recording, 'calls'>;

/** What a wire's host has to know of the eyes. */
export interface Watching {
  readonly epochNs: bigint;
  readonly looks: boolean;
  readonly hasTracepoints: boolean;
}

export interface WatchedWireOptions {
  readonly clock: RealClock;
  readonly eyes: NonNullable<LabOptions['eyes']>;
  readonly sideOf: SideOf;
  /** A listener of which tracepoints tell is this wire's when `sideOf` gives it a side: by an address that no other namespace has. */
  readonly knowsListeners: boolean;
  /** Starts the wire. What it throws or rejects with leaves nothing behind. */
  host(watching: Watching, onReports: OnReports): WireHost | Promise<WireHost>;
  /** A segment has come; its two ends. */
  readonly onSegment?: (
    record: SegmentRecord,
    ends: { readonly from: Address; readonly to: Address },
  ) => void;
  readonly toPeer?: (packet: Uint8Array, atNs: Nanos) => void;
}

export class WatchedWire implements AsyncDisposable {
  readonly wire: WireControl;
  /** Resolves when the wire can be trusted no longer. */
  readonly failed: Promise<Error>;
  readonly #options: WatchedWireOptions;
  readonly #desk: WireDesk;
  readonly #eyes: Eyes;
  /** The two ends of connections that were seen on the wire. */
  readonly #pairs = new Set<string>();
  #fail: (error: Error) => void = () => {};
  #host: WireHost | undefined;
  #openedNs: Nanos = 0;
  #start: SyncResult | undefined;
  #isClosed = false;

  /** Rejects with `AttachRefused`, in one sentence; then nothing is left behind. */
  static async open(options: WatchedWireOptions): Promise<WatchedWire> {
    const wire = new WatchedWire(options);
    try {
      await wire.#open();
      return wire;
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: WatchedWireOptions) {
    const { clock, eyes, sideOf } = options;
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#eyes = new Eyes({ wanted: eyes, epochNs: clock.epochNs, sideOf });
    this.#desk = new WireDesk({ clock, ask: (request) => this.#openHost().request(request) });
    this.wire = this.#desk;
  }

  async #open(): Promise<void> {
    const { clock, host } = this.#options;
    const { looks, hasTracepoints } = this.#eyes;
    this.#host = await host({ epochNs: clock.epochNs, looks, hasTracepoints }, (reports) =>
      this.#take(reports),
    );
    this.#start = await this.#desk.sync();
    this.#openedNs = clock.now();
    await this.#host.hook();
  }

  #openHost(): WireHost {
    if (this.#host === undefined) throw new Error('the wire is not open');
    return this.#host;
  }

  /** When it was opened: nothing that it tells of was before. */
  get openedNs(): Nanos {
    return this.#openedNs;
  }

  /** Segments that passed unseen, since there was no room for them. */
  async missed(): Promise<number> {
    return (await this.#openHost().request({ kind: 'missed' })) as number;
  }

  /** All that the wire's namespaces have now. */
  async sockets(): Promise<readonly DiagSocket[]> {
    return (await this.#openHost().request({ kind: 'sockets' })) as readonly DiagSocket[];
  }

  peerPacket(packet: Uint8Array): void {
    this.#openHost().peerPacket(packet);
  }

  /** All so far, without another look at the sockets. */
  async glance(): Promise<WireRecording> {
    return this.#recording(await this.#desk.receipts(), this.#start);
  }

  /** All that is known here, of a wire that has failed. */
  remains(): WireRecording {
    return this.#recording([], this.#start);
  }

  /** Waits until all that happened so far has been recorded. */
  async recording(): Promise<WireRecording> {
    const sync = await this.#desk.sync();
    return this.#recording(await this.#desk.receipts(), sync);
  }

  #recording(receipts: Recording['receipts'], sync: SyncResult | undefined): WireRecording {
    const { transitions, notes } = this.#eyes.seen();
    const clockErrorNs = this.#host?.clockErrorNs ?? 0;
    return {
      // A wire that failed at a segment has no record of it.
      segments: Object.values(this.#desk.records()),
      // Of what was there before, nobody saw how it came about.
      transitions: transitions.filter((each) => this.#isOwn(each) && each.atNs > this.#openedNs),
      notes: notes.filter((each) => this.#isOwn(each) && each.atNs > this.#openedNs),
      receipts,
      eyes: this.#eyes.names,
      epochUnixNs: (sync?.epochUnixNs ?? 0n).toString(),
      alignment: {
        // The kernel tells stamps to the microsecond.
        segmentsErrorNs: (sync?.stampErrorNs ?? 0) + 1000 + clockErrorNs,
        transitionsErrorNs: this.#eyes.errorNs + clockErrorNs,
      },
    };
  }

  /** Tracepoints hear of every namespace: a connection of this wire has sent something on it. Listeners, the looks tell, where nothing else does. */
  #isOwn({ local, remote, eye }: TransitionRecord | NoteRecord): boolean {
    if (eye !== 'tracepoint') return true;
    return remote.port === 0 ? this.#options.knowsListeners : this.#pairs.has(pairKey(local, remote));
  }

  #take(reports: readonly AttachedReport[]): void {
    for (const report of reports) {
      if (report.kind !== 'packed') this.#takeOne(report);
      else unpackRecords(report.records, (lab, record) => this.#takeOne({ kind: 'arrived', lab, record }));
    }
  }

  #takeOne(report: Exclude<AttachedReport, { kind: 'packed' }>): void {
    switch (report.kind) {
      case 'seen':
        this.#eyes.take(report.record);
        return;
      case 'to-peer':
        this.#options.toPeer?.(report.packet, report.atNs);
        return;
      case 'arrived':
        this.#learn(report.record);
        this.#desk.take(report);
        return;
      case 'failed':
        this.#desk.take(report);
        this.#fail(new Error(report.message));
        return;
      default:
        this.#desk.take(report);
    }
  }

  #learn(record: SegmentRecord): void {
    const decoded = decode(record.packet);
    if (decoded.kind !== 'segment' || record.facts === undefined) return;
    const { ip, srcPort, dstPort } = decoded.segment;
    const ends = { from: { ip: ip.src, port: srcPort }, to: { ip: ip.dst, port: dstPort } };
    this.#pairs.add(pairKey(ends.from, ends.to)).add(pairKey(ends.to, ends.from));
    this.#options.onSegment?.(record, ends);
  }

  /** The rules that were added, and those that were there to be taken out at the end. */
  get rules(): RuleCounts {
    return this.#host?.rules ?? { added: 0, removed: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#desk.fail(new Error('the wire was closed'));
    try {
      await this.#host?.close();
    } finally {
      this.#eyes[Symbol.dispose]();
    }
  }
}

const pairKey = (a: Address, b: Address): string => `${a.ip} ${a.port} ${b.ip} ${b.port}`;
