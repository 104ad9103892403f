/** One pair of addresses under watch: what the last look found, and what differs in the next. */
import type { Nanos } from '../clock/index.js';
import { NANOS_PER_MS } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import type { Sighting } from './sighting.js';
import { type DiagSocket, type Pair, PairQuery } from './sock-diag.js';
import type { NoteRecord } from './transition.js';

/** An end of a timer that moves by more than this is news: it was started again. */
const TIMER_MOVED_NS = 100 * NANOS_PER_MS;

interface Look {
  readonly beginNs: Nanos;
  readonly endNs: Nanos;
  readonly eye: Sighting['eye'];
}

type SeenTimer = NonNullable<DiagSocket['timer']> & Pick<DiagSocket, 'state'> & { readonly endsNs: Nanos };

export class WatchedPair {
  readonly query: PairQuery;
  /** When to look again because a timer will have run out. */
  dueNs: Nanos | undefined;
  #last: DiagSocket | undefined;
  #isListened = false;
  #timer: SeenTimer | undefined;
  #beganNs: Nanos;
  #looks = 0;

  constructor(
    readonly side: Side,
    readonly pair: Pair,
    startedNs: Nanos,
  ) {
    this.query = new PairQuery(pair);
    this.#beganNs = startedNs;
  }

  get isNew(): boolean {
    return this.#looks === 0;
  }

  get isAlive(): boolean {
    return this.#last !== undefined;
  }

  get isEstablished(): boolean {
    return this.#last?.state === 'ESTABLISHED';
  }

  get cookie(): string | undefined {
    return this.#last?.cookie;
  }

  /** When the last look began. */
  get lookedNs(): Nanos {
    return this.#beganNs;
  }

  /** Takes in what a look found, and says what is new. */
  saw(found: DiagSocket | undefined, look: Look): (Sighting | NoteRecord)[] {
    const isListener = found?.state === 'LISTEN';
    // For a pair without a socket of its own, the kernel answers with the listener.
    const own = isListener && this.pair.remote.port !== 0 ? undefined : found;
    const news: (Sighting | NoteRecord)[] = [];
    const isListened = own === undefined ? isListener : this.#isListened;
    if (this.#differs(own, isListened)) news.push(this.#sighting(own, isListened, look));
    news.push(...this.#timerNews(own, look));
    this.#last = own;
    this.#isListened = isListened;
    this.#beganNs = look.beginNs;
    this.#looks += 1;
    return news;
  }

  /** That there is nothing is news only where something was; that somebody listens, whenever it changes. */
  #differs(own: DiagSocket | undefined, isListened: boolean): boolean {
    const last = this.#last;
    if (own === undefined || last === undefined) return own !== last || isListened !== this.#isListened;
    return own.state !== last.state || own.holder !== last.holder || own.cookie !== last.cookie;
  }

  #sighting(own: DiagSocket | undefined, isListened: boolean, { endNs, eye }: Look): Sighting {
    return {
      kind: 'sighting',
      side: this.side,
      ...this.pair,
      atNs: endNs,
      notBeforeNs: this.#beganNs,
      state: own?.state ?? 'CLOSED',
      holder: own?.holder ?? 'none',
      ...(own === undefined ? {} : { cookie: own.cookie }),
      isListened,
      eye: own === undefined ? eye : 'sock_diag',
    };
  }

  /** A timer that was started, started again or counted a retransmission since the last look. */
  #timerNews(own: DiagSocket | undefined, { endNs }: Look): NoteRecord[] {
    const timer = own?.timer && {
      ...own.timer,
      state: own.state,
      endsNs: endNs + own.timer.remainsMs * NANOS_PER_MS,
    };
    const last = this.#timer;
    this.#timer = timer;
    if (timer === undefined || isSameRun(timer, last)) return [];
    const { name, remainsMs, retransmits, state } = timer;
    const detail = { timer: name, remainsMs, retransmits, state };
    return [
      {
        kind: 'note',
        atNs: endNs,
        side: this.side,
        ...this.pair,
        what: 'sock_diag',
        detail,
        eye: 'sock_diag',
      },
    ];
  }
}

function isSameRun(timer: SeenTimer, last: SeenTimer | undefined): boolean {
  if (last === undefined || timer.name !== last.name || timer.state !== last.state) return false;
  if (timer.retransmits !== last.retransmits) return false;
  // While a timer is overdue, nothing remains of it and its end seems to move.
  return timer.remainsMs === 0 || Math.abs(timer.endsNs - last.endsNs) <= TIMER_MOVED_NS;
}
