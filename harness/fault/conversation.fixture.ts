/** Hand-written segment sequences for tests: `c('SYN')`, `s('SYN,ACK')`, each with only the fields that matter. */
import { encode, makeSegment, type TcpOption } from '../segment/index.js';
import { type Arrival, type FlowFacts, otherSide, type Side } from './flow.js';
import { FlowTracker } from './flow-tracker.js';

export interface Say {
  /** Relative to the side's ISS; by default behind what it sent last. */
  readonly seq?: number;
  /** Relative to the other side's ISS; by default all that was delivered. */
  readonly ack?: number;
  readonly data?: string;
  readonly window?: number;
  readonly options?: readonly TcpOption[];
  /** It does not reach the other side. */
  readonly lost?: boolean;
  /** It reaches the other side only with `arriveLate`. */
  readonly held?: boolean;
  readonly atMs?: number;
}

/** Both numbers wrap within the first octets of data. */
const NEAR_WRAP: Record<Side, number> = { client: 0xffff_fffe, server: 0xffff_fff0 };

export class Conversation {
  readonly tracker: FlowTracker;
  readonly iss: Record<Side, number>;
  readonly #next: Record<Side, number> = { client: 0, server: 0 };
  readonly #given: Record<Side, number> = { client: 0, server: 0 };
  readonly #late: Arrival[] = [];
  readonly #ports: Record<Side, number>;
  static #id = 0;

  constructor(
    options: { tracker?: FlowTracker; iss?: Partial<Record<Side, number>>; clientPort?: number } = {},
  ) {
    this.tracker = options.tracker ?? new FlowTracker();
    this.iss = { ...NEAR_WRAP, ...options.iss };
    this.#ports = { client: options.clientPort ?? 40000, server: 80 };
  }

  /** The client, and the server, say a segment; the answer is what the tracker makes of it. */
  readonly c = (flags: string, say: Say = {}): FlowFacts => this.say('client', flags, say);
  readonly s = (flags: string, say: Say = {}): FlowFacts => this.say('server', flags, say);

  say(from: Side, flags: string, say: Say = {}): FlowFacts {
    const arrival = this.arrival(from, flags, say);
    const facts = this.tracker.arrive(arrival);
    if (say.held) this.#late.push(arrival);
    else if (!say.lost) this.give(arrival);
    return facts;
  }

  /** The segment on its way, before the tracker has heard of it. */
  arrival(from: Side, flags: string, { seq, ack, data = '', window, options, atMs = 0 }: Say = {}): Arrival {
    const to = otherSide(from);
    const at = seq ?? this.#next[from];
    const isRst = flags.includes('RST');
    const controls = (flags.includes('SYN') ? 1 : 0) + (flags.includes('FIN') ? 1 : 0);
    if (!isRst) this.#next[from] = Math.max(this.#next[from], at + data.length + controls);
    const segment = makeSegment({
      src: from === 'client' ? '192.0.2.1' : '192.0.2.2',
      dst: from === 'client' ? '192.0.2.2' : '192.0.2.1',
      srcPort: this.#ports[from],
      dstPort: this.#ports[to],
      seq: this.iss[from] + at,
      ack: flags.includes('ACK') ? this.iss[to] + (ack ?? this.#given[from]) : 0,
      flags,
      payload: data,
      ...(window !== undefined && { window }),
      ...(options !== undefined && { options }),
    });
    Conversation.#id += 1;
    return { id: Conversation.#id, atNs: atMs * 1e6, from, packet: encode(segment), segment };
  }

  give({ segment, from }: Arrival): void {
    this.tracker.delivered(segment, otherSide(from));
    this.#given[otherSide(from)] = this.#next[from];
  }

  arriveLate(): void {
    for (const arrival of this.#late.splice(0)) this.give(arrival);
  }

  /** SYN, SYN,ACK, ACK. */
  open(): this {
    this.c('SYN');
    this.s('SYN,ACK');
    this.c('ACK');
    return this;
  }
}

/** `active-fin`, `data#2` (the second copy), `data#2 + active-fin#1` (where the counts differ). */
export function short({ roles, copy, parts }: FlowFacts): string {
  if (parts !== undefined) return parts.map((part) => `${part.role}#${part.copy}`).join(' + ');
  return roles.join(' + ') + (copy === 1 ? '' : ` #${copy}`);
}
