/** LISTEN, RFC 9293 section 3.10.7.2: what a listener makes of segments, with Fast Open (RFC 7413) and SYN cookies (RFC 4987). */
import { type Segment, type SeqNumber, seqAdd, seqGt } from '../../harness/segment/index.js';
import {
  type ControlBlock,
  inListen,
  newBlock,
  newStep,
  type OpenOptions,
  openPassive,
  readSynOptions,
  type SocketAddress,
  type Step,
  segmentArrives,
  type TcpSettings,
} from '../tcp/index.js';
import { endsOf } from './address.js';
import type { FastOpenCookies } from './fast-open.js';
import type { KeyedHash } from './keyed-hash.js';
import { answerWithCookie, type CookieJar, openFromCookie } from './stateless-opening.js';
import type { TcpListener } from './tcp-listener.js';
import type { TcpSocket } from './tcp-socket.js';

/** What a stack does for its passive openings. */
export interface OpeningHost {
  readonly synCookies: 'flood' | 'always' | 'never';
  readonly secret: KeyedHash;
  readonly fastOpen: FastOpenCookies;
  now(): number;
  openOptions(local: SocketAddress, remote: SocketAddress, settings: TcpSettings): OpenOptions;
  /** Puts it among the connections. */
  adopt(block: ControlBlock): TcpSocket;
  done(socket: TcpSocket, step: Step): void;
  transmit(segment: Segment): void;
  /** Refuses the segment with a RST. */
  reset(segment: Segment): void;
}

/** Behind all that the old connection may have had under way, and its window. */
const beyond = (above: SeqNumber): SeqNumber => seqAdd(above, 0x1_0000 + 2);

/** ACKs are held for cookies so long after the last that was given out. */
const COOKIES_HOLD_NS = 128e9;

export class PassiveOpenings {
  readonly #host: OpeningHost;
  readonly #listenerOf = new Map<TcpSocket, TcpListener>();

  constructor(host: OpeningHost) {
    this.#host = host;
  }

  /** `above`: where the sequence numbers of the connection that made room for this one ended (RFC 9293 MAY-2). */
  segmentArrives(listener: TcpListener, segment: Segment, above?: SeqNumber): void {
    const meaning = inListen(segment);
    if (meaning === 'open') this.#open(listener, segment, above);
    // "Any acknowledgment is bad if it arrives on a connection still in the LISTEN state", unless it brings a cookie.
    else if (meaning === 'reset' && !this.#openFromCookie(listener, segment)) this.#host.reset(segment);
  }

  #open(listener: TcpListener, segment: Segment, above?: SeqNumber): void {
    // The program does not keep up: the client will ask again.
    if (listener.isFull) return;
    const { synCookies } = this.#host;
    const isFlooded = listener.opening.size >= listener.backlog;
    if (synCookies === 'always' || (isFlooded && synCookies === 'flood')) {
      listener.cookiesSinceNs = this.#host.now();
      answerWithCookie(this.#jar(listener, segment), segment, (answer) => this.#host.transmit(answer));
      return;
    }
    if (isFlooded) return;
    const { local, remote } = endsOf(segment);
    const chosen = this.#host.openOptions(local, remote, listener.settings);
    const options =
      above === undefined || seqGt(chosen.iss, above) ? chosen : { ...chosen, iss: beyond(above) };
    const { socket, step } = this.#adopt(listener, newBlock(options, false, this.#host.now()));
    const data = listener.fastOpen ? this.#fastOpenFor(segment) : undefined;
    if (data !== undefined) socket.block.fastOpenCookie = data.cookie;
    // RFC 7413 section 4.2, PendingFastOpenRequests: beyond the limit it is an opening like any other.
    const takesData = data?.isGood === true && listener.fastOpening.size < listener.backlog;
    if (takesData) listener.fastOpening.add(socket);
    openPassive(socket.block, step, segment, takesData);
    this.#host.done(socket, step);
  }

  /** RFC 7413 section 4.1.2: a good cookie lets the SYN's data in; another, or the wish for one, is answered with one. */
  #fastOpenFor(
    segment: Segment,
  ): { readonly cookie: Uint8Array | undefined; readonly isGood: boolean } | undefined {
    const { fastOpen } = readSynOptions(segment);
    if (fastOpen === undefined) return undefined;
    const cookies = this.#host.fastOpen;
    const isGood = cookies.isOwn(segment.ip.src, fastOpen);
    return { cookie: isGood ? undefined : cookies.own(segment.ip.src), isGood };
  }

  #adopt(listener: TcpListener, block: ControlBlock): { socket: TcpSocket; step: Step } {
    const socket = this.#host.adopt(block);
    listener.opening.add(socket);
    this.#listenerOf.set(socket, listener);
    return { socket, step: newStep(this.#host.now()) };
  }

  #jar(listener: TcpListener, segment: Segment): CookieJar {
    const { local, remote } = endsOf(segment);
    return {
      secret: this.#host.secret,
      nowNs: this.#host.now(),
      options: this.#host.openOptions(local, remote, listener.settings),
    };
  }

  #openFromCookie(listener: TcpListener, segment: Segment): boolean {
    if (this.#host.now() - listener.cookiesSinceNs > COOKIES_HOLD_NS) return false;
    const block = openFromCookie(this.#jar(listener, segment), segment);
    if (block === undefined) return false;
    if (listener.isFull) return true;
    const { socket, step } = this.#adopt(listener, block);
    segmentArrives(socket.block, step, segment);
    this.#host.done(socket, step);
    return true;
  }

  /** The program may have the connection: the handshake is complete, or Fast Open has brought data. */
  completed(socket: TcpSocket): void {
    const listener = this.#listenerOf.get(socket);
    if (listener === undefined) return;
    const isNew = listener.opening.delete(socket);
    if (socket.state !== 'SYN-RECEIVED') this.forget(socket);
    if (isNew && listener.isOpen) listener.offer(socket);
  }

  forget(socket: TcpSocket): void {
    const listener = this.#listenerOf.get(socket);
    listener?.opening.delete(socket);
    listener?.fastOpening.delete(socket);
    this.#listenerOf.delete(socket);
  }

  clear(): void {
    this.#listenerOf.clear();
  }
}
