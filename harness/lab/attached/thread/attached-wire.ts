/** The wire through one namespace's hooks, on its thread: the core, with packets that the kernel holds below it and the outbox as its recorder. */
import type { Nanos } from '../../../clock/index.js';
import { otherSide, type Receipt } from '../../../fault/index.js';
import { SnapshotWatcher } from '../../../observe/index.js';
import { ipv4Text, ipv6Text } from '../../../segment/index.js';
import { NetworkNamespace } from '../../../sys/index.js';
import { messageOf } from '../../../text/index.js';
import {
  HeldPackets,
  type PacketQueue,
  type QueuedPacket,
  type RawSender,
  type SegmentRecord,
  sideOfPacket,
  Wire,
} from '../../../wire/index.js';
import type { Outbox } from '../../netns/thread/outbox.js';
import type { Report } from '../../netns/thread/protocol.js';
import type { LabClock } from '../../netns/thread/thread-clock.js';
import { obey, type WireRequest } from '../../wire-request.js';
import { ownedPairs } from '../owned-pairs.js';
import type { AttachedThreadOptions } from './protocol.js';

/** One thread, one wire: what the other threads' reports say with it is always the same here. */
const LAB = 1;

const DROPPED_AT_OUTPUT = "dropped at the sender's output";

export interface AttachedWireParts {
  readonly options: AttachedThreadOptions;
  readonly clock: LabClock;
  readonly outbox: Outbox;
  readonly queue: PacketQueue;
  readonly sender: RawSender;
}

export class AttachedWire implements Disposable {
  readonly #parts: AttachedWireParts;
  readonly #wire: Wire;
  readonly #held: HeldPackets;
  readonly #watcher: SnapshotWatcher | undefined;
  readonly #localIps: Set<string>;
  #hook: SegmentRecord['hook'];
  #lastArrivalNs: Nanos = 0;

  constructor(parts: AttachedWireParts) {
    const { clock, options, outbox, queue, sender } = parts;
    this.#parts = parts;
    this.#localIps = new Set(options.localIps);
    this.#held = new HeldPackets({
      decide: (id, verdict, packet) => queue.decide(id, verdict, packet),
      send: (packet) => this.#guard(() => sender.send(packet)),
    });
    this.#watcher = options.looks ? this.#openWatcher() : undefined;
    const watcher = this.#watcher;
    this.#wire = new Wire({
      clock,
      carriers: { client: this.#held.carrier('client'), server: this.#held.carrier('server') },
      recorder: {
        arrived: (record) => outbox.arrived(LAB, withHook(record, this.#hook)),
        delivered: (id, delivery) => this.#put({ kind: 'delivered', lab: LAB, id, delivery }),
        updated: (id, change) => this.#put({ kind: 'updated', lab: LAB, id, change }),
      },
      faults: options.faults,
      lost: (packet) => this.#held.lost(packet),
      ...(watcher === undefined ? {} : { look: (side, segment) => watcher.look(side, segment) }),
    });
  }

  #openWatcher(): SnapshotWatcher {
    const { options, clock } = this.#parts;
    const namespace = NetworkNamespace.ofFd(options.namespaceFd);
    return new SnapshotWatcher({
      // The namespace may have either end of a connection, or both.
      ends: (['client', 'server'] as const).map((side) => ({
        side,
        namespace,
        ip: '',
        owns: ownedPairs({ side, port: options.port, localIps: this.#localIps }),
      })),
      ipVersion: 'both',
      clock,
      report: (record) => this.#put({ kind: 'seen', lab: LAB, record }),
      hasTracepoints: options.hasTracepoints,
    });
  }

  /** File descriptors that are readable when a socket was freed. */
  get destroyFds(): readonly number[] {
    return this.#watcher?.destroyFds ?? [];
  }

  lookAtDestroyed(): void {
    this.#watcher?.lookAtDestroyed();
  }

  lookAtAll(): void {
    this.#watcher?.lookAtAll();
  }

  /** A packet waits in the queue, and came there at `threadNs` on the thread's clock. */
  fromQueue(queued: QueuedPacket, threadNs: Nanos): void {
    const { clock, outbox, options, queue } = this.#parts;
    const from = sideOfPacket(queued.packet, options.port, queued.hook);
    if (from === undefined) {
      queue.decide(queued.id, 'accept');
      return;
    }
    this.#learnIps(queued);
    const packet = outbox.keep(queued.packet);
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, clock.fromThread(threadNs));
    this.#hook = queued.hook;
    this.#guard(() =>
      this.#held.pass(queued, { packet, to: otherSide(from) }, () =>
        this.#wire.arrive(from, packet, this.#lastArrivalNs),
      ),
    );
    this.#hook = undefined;
  }

  /** An address that came to the namespace while we are here. */
  #learnIps({ packet, hook, isLoopback }: QueuedPacket): void {
    const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
    const text = (end: 'source' | 'destination'): string =>
      isVersion6 ? ipv6Text(packet, end === 'source' ? 8 : 24) : ipv4Text(packet, end === 'source' ? 12 : 16);
    if (hook === 'output' || isLoopback) this.#localIps.add(text('source'));
    if (hook === 'input') this.#localIps.add(text('destination'));
  }

  handle(request: Exclude<WireRequest, { kind: 'sync' }>): number | readonly Receipt[] | undefined {
    return obey(this.#wire, request);
  }

  #put(report: Report): void {
    this.#parts.outbox.put(report, { isUrgent: report.kind === 'failed' });
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#put({ kind: 'failed', lab: LAB, message: messageOf(error) });
    }
  }

  [Symbol.dispose](): void {
    this.#wire.close();
    this.#watcher?.[Symbol.dispose]();
  }
}

/** A drop at its sender's own output is named as such: it is no loss in the network, though TCP is not told of it either. */
function withHook(record: SegmentRecord, hook: SegmentRecord['hook']): SegmentRecord {
  if (hook === undefined || record.origin !== 'endpoint') return record;
  const faults = record.faults.map((mark) =>
    hook === 'output' && mark.what === 'dropped' ? { ...mark, what: DROPPED_AT_OUTPUT } : mark,
  );
  return { ...record, hook, faults };
}
