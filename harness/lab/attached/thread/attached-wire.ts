/** The wire through the hooks of namespaces, on its thread: the core, with packets that the kernel holds below it and the outbox as its recorder. */
import type { Nanos } from '../../../clock/index.js';
import { otherSide, type Receipt, type Side } from '../../../fault/index.js';
import { SnapshotWatcher } from '../../../observe/index.js';
import { messageOf } from '../../../text/index.js';
import { type Carrier, type Recorder, type SegmentRecord, Wire } from '../../../wire/index.js';
import type { Outbox } from '../../netns/thread/outbox.js';
import type { Report } from '../../netns/thread/protocol.js';
import type { LabClock } from '../../netns/thread/thread-clock.js';
import { obey, type WireRequest } from '../../wire-request.js';
import { isFar, sidesOf } from '../intake.js';
import { Gate } from './gate.js';
import type { AttachedThreadOptions } from './protocol.js';

/** One thread, one wire: what the other threads' reports say with it is always the same here. */
const LAB = 1;

const DROPPED_AT_OUTPUT = "dropped at the sender's output";

export interface AttachedWireParts {
  readonly options: AttachedThreadOptions;
  readonly clock: LabClock;
  readonly outbox: Outbox;
}

export class AttachedWire implements Disposable {
  readonly gates: readonly Gate[];
  readonly #parts: AttachedWireParts;
  readonly #wire: Wire;
  readonly #watcher: SnapshotWatcher | undefined;
  /** What is being handled came by this. */
  #via: { readonly gate: Gate; readonly hook: SegmentRecord['hook'] } | undefined;
  #lastArrivalNs: Nanos = 0;

  constructor(parts: AttachedWireParts) {
    const { clock, options } = parts;
    this.#parts = parts;
    this.gates = options.gates.map((gate) => new Gate(gate, (error) => this.#fail(error)));
    this.#watcher = options.looks ? this.#openWatcher() : undefined;
    const watcher = this.#watcher;
    this.#wire = new Wire({
      clock,
      carriers: { client: this.#carrier('client'), server: this.#carrier('server') },
      recorder: this.#recorder(),
      faults: options.faults,
      lost: (packet) => {
        for (const { held } of this.gates) held.lost(packet);
      },
      ...(watcher === undefined
        ? {}
        : {
            look: (side, segment) => {
              if (side !== options.peer) watcher.look(side, segment);
            },
          }),
    });
  }

  #carrier(side: Side): Carrier {
    const { clock, options } = this.#parts;
    if (side === options.peer)
      return {
        send: (packet) =>
          this.#put({ kind: 'to-peer', lab: LAB, packet, atNs: clock.now() }, { isUrgent: true }),
      };
    const gate = this.gates.find(({ intake }) => sidesOf(intake).includes(side));
    if (gate === undefined) throw new TypeError(`the wire has no way to the ${side}`);
    return gate.held.carrier(side);
  }

  #recorder(): Recorder {
    return {
      arrived: (record) => this.#parts.outbox.arrived(LAB, this.#withHook(record)),
      delivered: (id, delivery) => this.#put({ kind: 'delivered', lab: LAB, id, delivery }),
      updated: (id, change) => this.#put({ kind: 'updated', lab: LAB, id, change }),
    };
  }

  #openWatcher(): SnapshotWatcher {
    const { options, clock } = this.#parts;
    return new SnapshotWatcher({
      ends: this.gates.flatMap((gate) => gate.watchedEnds()),
      ipVersion: 'both',
      clock,
      report: (record) => this.#put({ kind: 'seen', lab: LAB, record }),
      hasTracepoints: options.hasTracepoints,
    });
  }

  /** File descriptors that are readable when packets have come, or a socket was freed. */
  get fds(): readonly number[] {
    return [...this.gates.map(({ queue }) => queue.fd), ...(this.#watcher?.destroyFds ?? [])];
  }

  lookAtDestroyed(): void {
    this.#watcher?.lookAtDestroyed();
  }

  lookAtAll(): void {
    this.#watcher?.lookAtAll();
  }

  /** The packet that is next at a gate. */
  takeFrom(gate: Gate): void {
    const waiting = gate.take();
    if (waiting === undefined) return;
    const { queued, atNs, from } = waiting;
    const packet = this.#parts.outbox.keep(queued.packet);
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, this.#parts.clock.fromThread(atNs));
    this.#via = { gate, hook: queued.hook };
    this.#guard(() =>
      gate.held.pass(queued, { packet, to: otherSide(from) }, () =>
        this.#wire.arrive(from, packet, this.#lastArrivalNs),
      ),
    );
    this.#via = undefined;
  }

  fromPeer(packet: Uint8Array): void {
    const { peer } = this.#parts.options;
    if (peer === undefined) throw new TypeError('this wire has no scripted peer');
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, this.#parts.clock.now());
    this.#guard(() => this.#wire.arrive(peer, packet, this.#lastArrivalNs, 'peer'));
  }

  handle(request: Exclude<WireRequest, { kind: 'sync' }>): number | readonly Receipt[] | undefined {
    return obey(this.#wire, request);
  }

  /**
   * A drop at its sender's own output is named as such where its receiver is elsewhere: it is no loss in the network, though TCP is not told of it
   * either. What goes to a scripted peer has no network before it.
   */
  #withHook(record: SegmentRecord): SegmentRecord {
    const via = this.#via;
    if (via?.hook === undefined || record.origin !== 'endpoint') return record;
    const { intake } = via.gate;
    const isOwnOutput = via.hook === 'output' && (intake.kind === 'port' || isFar(intake));
    const faults = record.faults.map((mark) =>
      isOwnOutput && mark.what === 'dropped' ? { ...mark, what: DROPPED_AT_OUTPUT } : mark,
    );
    return { ...record, hook: via.hook, faults };
  }

  #put(report: Report, { isUrgent = false }: { readonly isUrgent?: boolean } = {}): void {
    this.#parts.outbox.put(report, { isUrgent });
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#put({ kind: 'failed', lab: LAB, message: messageOf(error) }, { isUrgent: true });
  }

  [Symbol.dispose](): void {
    this.#wire.close();
    this.#watcher?.[Symbol.dispose]();
    for (const gate of this.gates) gate[Symbol.dispose]();
  }
}
