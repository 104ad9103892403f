/**
 * Looks at the sockets of both ends of a wire when a segment comes or goes, and when a timer of theirs has run out, and
 * reports what has changed since. It lives on the wire's thread and is synchronous. A state that outlives one crossing of
 * the wire is seen, by an ordinary user too.
 */
import type { Clock, Nanos, Timer } from '../clock/index.js';
import { NANOS_PER_MS } from '../clock/index.js';
import type { Address } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { FLAG, type Segment } from '../segment/index.js';
import type { NetworkNamespace } from '../sys/index.js';
import type { Sighting } from './sighting.js';
import { DestroyListener, type DiagSocket, type Pair, SockDiag } from './sock-diag.js';
import type { NoteRecord } from './transition.js';
import { WatchedPair } from './watched-pair.js';

export interface WatchedEnd {
  readonly side: Side;
  readonly namespace: NetworkNamespace;
  /** The end's address on the wire, as its segments bear it. */
  readonly ip: string;
  /** For an end in a namespace of somebody else's, with addresses and sockets of all sorts: whether these are the ends of a connection of this one's. */
  readonly owns?: (pair: Pair) => boolean;
}

export interface WatcherOptions {
  readonly ends: readonly WatchedEnd[];
  readonly ipVersion: 4 | 6 | 'both';
  readonly clock: Clock;
  readonly report: (record: Sighting | NoteRecord) => void;
  /**
   * Tracepoints see full sockets: then connections that are established and stay so are not looked at. Without them they
   * are, but while segments follow each other not more often than each `STEADY_NS`.
   */
  readonly hasTracepoints?: boolean;
}

const STEADY_NS = 5 * NANOS_PER_MS;
/** The other end is looked at as well, unless that was just done. */
const FRESH_NS = 100_000;
const OPENS_OR_CLOSES = FLAG.SYN | FLAG.FIN | FLAG.RST;
/** Timers are told in jiffies of up to 10 ms, and the kernel's timer wheel lets a long one run up to an eighth longer. */
const JIFFY_NS = 10 * NANOS_PER_MS;
const OVERDUE_NS = 20 * NANOS_PER_MS;

interface End extends WatchedEnd {
  readonly diag: SockDiag;
  readonly destroyed: DestroyListener;
  readonly pairs: Map<string, WatchedPair>;
}

export class SnapshotWatcher implements Disposable {
  readonly #ends: ReadonlyMap<Side, End>;
  readonly #options: WatcherOptions;
  readonly #clock: Clock;
  readonly #startedNs: Nanos;
  #wake: { readonly atNs: Nanos; readonly timer: Timer } | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#startedNs = options.clock.now();
    this.#ends = new Map(options.ends.map((end) => [end.side, openEnd(end)]));
  }

  /** Readable when the kernel has freed a socket of an end: call `lookAtDestroyed` then. Optional: looks find it too, later. */
  get destroyFds(): readonly number[] {
    return [...this.#ends.values()].map(({ destroyed }) => destroyed.fd);
  }

  /**
   * A segment has entered from the side or was delivered to it. Packets that are not TCP (an ICMP error may end a
   * connection) are followed by a look at all.
   */
  look(side: Side, segment: Segment | undefined): void {
    if (segment === undefined) {
      this.lookAtAll();
      return;
    }
    const { src, dst } = segment.ip;
    const source = { ip: src, port: segment.srcPort };
    const destination = { ip: dst, port: segment.dstPort };
    const opensOrCloses = (segment.flags & OPENS_OR_CLOSES) !== 0;
    for (const end of this.#ends.values()) {
      const pair = pairOf(end, source, destination);
      if (pair === undefined) continue;
      const watched = this.#watch(end, pair);
      const ageNs = this.#clock.now() - watched.lookedNs;
      if (end.side === side || ageNs > FRESH_NS) this.#lookUnlessSteady(end, watched, opensOrCloses, ageNs);
    }
  }

  #lookUnlessSteady(end: End, watched: WatchedPair, opensOrCloses: boolean, ageNs: Nanos): void {
    const isSteady = !opensOrCloses && watched.isEstablished;
    if (isSteady && (this.#options.hasTracepoints === true || ageNs < STEADY_NS)) return;
    this.#lookAt(end, watched);
  }

  /** Looks at one pair of an end now. */
  lookAtPair(side: Side, pair: Pair): void {
    const end = this.#ends.get(side);
    if (end !== undefined) this.#lookAt(end, this.#watch(end, pair));
  }

  /** Looks at every socket of both ends, those that never sent a segment too: listeners, for one. At the end, and on demand. */
  lookAtAll(): void {
    for (const end of this.#ends.values()) {
      this.#takeDestroyed(end);
      for (const ipVersion of versionsOf(this.#options))
        for (const { local, remote } of end.diag.dump({ ipVersion }))
          if (end.owns?.({ local, remote }) ?? true) this.#watch(end, { local, remote });
      for (const watched of end.pairs.values())
        if (watched.isAlive || watched.isNew) this.#lookAt(end, watched);
    }
  }

  lookAtDestroyed(): void {
    for (const end of this.#ends.values()) this.#takeDestroyed(end);
  }

  #takeDestroyed(end: End): void {
    const { sockets, hasLost } = end.destroyed.take();
    for (const { cookie } of sockets) {
      const watched = [...end.pairs.values()].find((pair) => pair.cookie === cookie);
      if (watched !== undefined) this.#lookAt(end, watched, 'destroy');
    }
    // More were freed than it could tell of: which, a look at each that lived tells.
    if (hasLost) for (const watched of end.pairs.values()) if (watched.isAlive) this.#lookAt(end, watched);
  }

  #watch(end: End, pair: Pair): WatchedPair {
    const { local, remote } = pair;
    const key = `${local.ip} ${local.port} ${remote.ip} ${remote.port}`;
    const known = end.pairs.get(key);
    if (known !== undefined) return known;
    const watched = new WatchedPair(end.side, pair, this.#startedNs);
    end.pairs.set(key, watched);
    return watched;
  }

  #lookAt(end: End, watched: WatchedPair, eye: Sighting['eye'] = 'sock_diag'): void {
    const beginNs = this.#clock.now();
    const found = end.diag.find(watched.query);
    const endNs = this.#clock.now();
    for (const record of watched.saw(found, { beginNs, endNs, eye })) this.#options.report(record);
    this.#wakeFor(watched, found, endNs);
  }

  /** A timer that runs out may end a socket without a segment: look when it has. */
  #wakeFor(watched: WatchedPair, found: DiagSocket | undefined, nowNs: Nanos): void {
    const remainsMs = found?.timer?.remainsMs;
    watched.dueNs =
      remainsMs === undefined
        ? undefined
        : nowNs + (remainsMs === 0 ? OVERDUE_NS : remainsMs * NANOS_PER_MS + JIFFY_NS);
    if (watched.dueNs !== undefined) this.#wakeBy(watched.dueNs);
  }

  #wakeBy(atNs: Nanos): void {
    if (this.#wake !== undefined && this.#wake.atNs <= atNs) return;
    this.#wake?.timer.cancel();
    this.#wake = { atNs, timer: this.#clock.at(atNs, () => this.#lookAtDue()) };
  }

  #lookAtDue(): void {
    this.#wake = undefined;
    const nowNs = this.#clock.now();
    let nextNs = Number.POSITIVE_INFINITY;
    for (const end of this.#ends.values()) {
      this.#takeDestroyed(end);
      for (const watched of end.pairs.values()) {
        if (watched.dueNs !== undefined && watched.dueNs <= nowNs) this.#lookAt(end, watched);
        nextNs = Math.min(nextNs, watched.dueNs ?? nextNs);
      }
    }
    if (Number.isFinite(nextNs)) this.#wakeBy(nextNs);
  }

  [Symbol.dispose](): void {
    this.#wake?.timer.cancel();
    for (const { diag, destroyed } of this.#ends.values()) {
      diag[Symbol.dispose]();
      destroyed[Symbol.dispose]();
    }
  }
}

const versionsOf = ({ ipVersion }: WatcherOptions): readonly (4 | 6)[] =>
  ipVersion === 'both' ? [4, 6] : [ipVersion];

/** The two ends of a segment as this end of the wire sees them; undefined when it is no segment of this one's. */
function pairOf({ ip, owns }: WatchedEnd, source: Address, destination: Address): Pair | undefined {
  const sent = { local: source, remote: destination };
  const received = { local: destination, remote: source };
  if (owns === undefined) return ip === source.ip ? sent : received;
  return [sent, received].find(owns);
}

function openEnd(end: WatchedEnd): End {
  return end.namespace.run(() => ({
    ...end,
    diag: new SockDiag(),
    destroyed: new DestroyListener(),
    pairs: new Map<string, WatchedPair>(),
  }));
}
