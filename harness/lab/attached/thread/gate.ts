/**
 * One namespace's hooks on the wire's thread: the queue that its segments come by, the packets that the kernel keeps there, and the way in for
 * those that are sent anew.
 */
import type { Nanos } from '../../../clock/index.js';
import type { Side } from '../../../fault/index.js';
import type { DiagSocket, WatchedEnd } from '../../../observe/index.js';
import { ipv4Text, ipv6Text } from '../../../segment/index.js';
import { NetworkNamespace, SysError } from '../../../sys/index.js';
import { HeldPackets, OWN_MARK, PacketQueue, type QueuedPacket, RawSender } from '../../../wire/index.js';
import { type Intake, ownedPairs, senderOf, watchedSides } from '../intake.js';
import { socketsIn } from '../namespace-sockets.js';
import { isProbe, probeSegment } from './probe-segment.js';
import type { GateOptions, ProbeResult } from './protocol.js';

/** A segment over the loopback is in the queue before its sender's call returns; a rule may be slower to take effect. */
const PROBE_TRIES = 50;
const PROBE_PAUSE_MS = 2;

/** A packet that waits for its turn, and when it came. */
export interface Waiting {
  readonly queued: QueuedPacket;
  readonly atNs: Nanos;
}

export class Gate implements Disposable {
  readonly intake: Intake;
  readonly held: HeldPackets;
  readonly queue: PacketQueue;
  readonly #namespace: NetworkNamespace;
  readonly #sender: RawSender;
  readonly #probe: Uint8Array;
  /** Of a port's: grows by what is seen. */
  readonly #localIps: Set<string>;
  #head: Waiting | undefined;
  #probesSeen = 0;

  /** `failed` hears of packets that could not be sent. */
  constructor({ namespaceFd, intake }: GateOptions, failed: (error: unknown) => void) {
    this.#namespace = NetworkNamespace.ofFd(namespaceFd);
    this.#localIps = new Set(intake.kind === 'port' ? intake.localIps : []);
    this.intake = intake.kind === 'port' ? { ...intake, localIps: this.#localIps } : intake;
    this.#probe = probeSegment(intake);
    const { queue, sender } = this.#namespace.run(() => ({
      queue: PacketQueue.open(),
      sender: new RawSender({ mark: OWN_MARK }),
    }));
    this.queue = queue;
    this.#sender = sender;
    this.held = new HeldPackets({
      decide: (id, verdict, packet) => queue.decide(id, verdict, packet),
      send(packet) {
        try {
          sender.send(packet);
        } catch (error) {
          failed(error);
        }
      },
    });
  }

  /** When the packet came that is next; undefined when there is none. `stampOf` brings its stamp onto the thread's clock. */
  nextNs(stampOf: (queued: QueuedPacket) => Nanos): Nanos | undefined {
    if (this.#head !== undefined) return this.#head.atNs;
    const queued = this.#next();
    if (queued === undefined) return undefined;
    this.#head = { queued, atNs: stampOf(queued) };
    return this.#head.atNs;
  }

  /** What is forwarded to or from a side's stack is as if at that stack's own hook. */
  #next(): QueuedPacket | undefined {
    const queued = this.queue.next();
    const { intake } = this;
    if (queued === undefined || intake.kind === 'port' || !intake.isForwarded) return queued;
    return { ...queued, hook: intake.hook };
  }

  /** Takes the packet that is next; undefined when it is none of the wire's, and decided. */
  take(): (Waiting & { readonly from: Side }) | undefined {
    const head = this.#head;
    this.#head = undefined;
    if (head === undefined) return undefined;
    const { id, packet } = head.queued;
    if (isProbe(packet, this.#probe)) {
      this.#probesSeen += 1;
      this.queue.decide(id, 'drop');
      return undefined;
    }
    const from = senderOf(this.intake, head.queued);
    if (from === undefined) {
      this.queue.decide(id, 'accept');
      return undefined;
    }
    this.#learnIps(head.queued);
    return { ...head, from };
  }

  /** An address that came to the namespace while we are here. */
  #learnIps({ packet, hook, isLoopback }: QueuedPacket): void {
    if (this.intake.kind !== 'port') return;
    const isVersion6 = (packet[0] ?? 0) >> 4 === 6;
    const text = (end: 'source' | 'destination'): string =>
      isVersion6 ? ipv6Text(packet, end === 'source' ? 8 : 24) : ipv4Text(packet, end === 'source' ? 12 : 16);
    if (hook === 'output' || isLoopback) this.#localIps.add(text('source'));
    if (hook === 'input') this.#localIps.add(text('destination'));
  }

  /** The ends of connections that the namespace may have, for whoever looks at sockets. */
  watchedEnds(): readonly WatchedEnd[] {
    return watchedSides(this.intake).map((side) => ({
      side,
      namespace: this.#namespace,
      ip: '',
      owns: ownedPairs(this.intake, side),
    }));
  }

  /** Those that the namespace has now. */
  sockets(): readonly DiagSocket[] {
    return socketsIn(this.#namespace);
  }

  /** Sends the namespace a segment that has to come by the queue. `catchUp` takes what has come. */
  probe(catchUp: () => void): ProbeResult {
    if (this.intake.kind === 'pair' && this.intake.isForwarded)
      return { kind: 'impossible', why: 'what a namespace sends itself is not forwarded' };
    const before = this.#probesSeen;
    try {
      this.#namespace.run(() => {
        using sender = new RawSender();
        sender.send(this.#probe);
      });
    } catch (error) {
      if (error instanceof SysError) return { kind: 'impossible', why: error.message };
      throw error;
    }
    for (let i = 0; i < PROBE_TRIES && this.#probesSeen === before; i += 1) {
      catchUp();
      if (this.#probesSeen === before)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PROBE_PAUSE_MS);
    }
    return { kind: this.#probesSeen > before ? 'seen' : 'unseen' };
  }

  [Symbol.dispose](): void {
    this.queue[Symbol.dispose]();
    this.#sender[Symbol.dispose]();
  }
}
