/**
 * Looks at the timer of a connection, through the guest's sock_diag, when a FIN has reached a stack that has sent its own: the tracepoints
 * tell when TIME-WAIT begins and ends, and not that it was started anew. A look takes no virtual time.
 */
import type { Clock } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import { type DiagSocket, type NoteRecord, type PairQuery, WatchedPair } from '../../observe/index.js';
import { FLAG, hasFlags, type Segment } from '../../segment/index.js';

export interface TimerLooksOptions {
  readonly side: Side;
  readonly clock: Clock;
  /** Asks the guest. */
  readonly find: (query: PairQuery) => Promise<DiagSocket | undefined>;
  readonly report: (note: NoteRecord) => void;
  readonly failed: (error: unknown) => void;
}

export class TimerLooks {
  readonly #options: TimerLooksOptions;
  readonly #pairs = new Map<string, WatchedPair>();
  /** The connections whose FIN has left: no other can be in TIME-WAIT. */
  readonly #closing = new Set<string>();
  #looks = Promise.resolve();

  constructor(options: TimerLooksOptions) {
    this.#options = options;
  }

  /** The stack has sent a segment. */
  sent(segment: Segment): void {
    if (hasFlags(segment, FLAG.FIN)) this.#closing.add(`${segment.srcPort} ${segment.dstPort}`);
  }

  /** A segment was handed to the stack. */
  given(segment: Segment): void {
    const key = `${segment.dstPort} ${segment.srcPort}`;
    if (!hasFlags(segment, FLAG.FIN) || !this.#closing.has(key)) return;
    const local = { ip: segment.ip.dst, port: segment.dstPort };
    const remote = { ip: segment.ip.src, port: segment.srcPort };
    const watched = this.#pairs.get(key) ?? new WatchedPair(this.#options.side, { local, remote }, 0);
    this.#pairs.set(key, watched);
    const look = this.#look(watched).catch(this.#options.failed);
    this.#looks = this.#looks.then(() => look);
  }

  /** Resolves when what has been looked at so far is known. */
  settled(): Promise<void> {
    return this.#looks;
  }

  async #look(watched: WatchedPair): Promise<void> {
    const { clock, find, report } = this.#options;
    const beginNs = clock.now();
    const found = await find(watched.query);
    for (const news of watched.saw(found, { beginNs, endNs: clock.now(), eye: 'sock_diag' }))
      if (news.kind === 'note') report(news);
  }
}
