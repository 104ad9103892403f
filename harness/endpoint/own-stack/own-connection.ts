/** A connection of the project's own TCP as the socket API shows it: errors told once, urgent data out of line, poll events. */
import type { Notice, TcpSocket } from '../../../stack/index.js';
import { type PollEvents, type Received, SocketError } from '../endpoint.js';
import type { Queues } from '../socket-driver.js';
import { UrgentMark } from './urgent-mark.js';

export interface ReceiveOptions {
  readonly most: number;
  readonly isPeek: boolean;
  readonly mayWait: boolean;
}

const END: Received = { kind: 'end' };

export class OwnConnection {
  readonly socket: TcpSocket;
  readonly #mark = new UrgentMark();
  /** SO_OOBINLINE. */
  isUrgentInline = false;
  /** Octets that the program has taken out of the stream. */
  #taken = 0;
  #error: string | undefined;
  #isReadShut = false;
  #isWriteShut = false;
  #hasEnded = false;

  /** `happened` is called whenever something has happened that a waiting call may have waited for. */
  constructor(socket: TcpSocket, happened: () => void) {
    this.socket = socket;
    this.#error = socket.error;
    this.#markUrgent();
    socket.onNotice = (notice) => {
      this.#take(notice);
      happened();
    };
  }

  #take(notice: Notice): void {
    if (notice.kind === 'failed') this.#error = notice.error;
    if (notice.kind === 'end') this.#hasEnded = true;
    if (notice.kind === 'urgent') this.#markUrgent();
  }

  #markUrgent(): void {
    const ahead = this.socket.urgentAhead;
    if (ahead !== undefined && ahead > 0) this.#mark.told(this.#taken + ahead - 1);
  }

  /** SO_ERROR. */
  get pendingError(): string | undefined {
    return this.#error;
  }

  /** The same: reading it clears it. */
  takeError(): string | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  /** The opening is over: true, or the reason why it failed is thrown. Undefined while it is under way. */
  established(): true | undefined {
    const { state } = this.socket;
    const error = this.takeError();
    if (error !== undefined) throw new SocketError(error, 'connect');
    if (state === 'SYN-SENT' || state === 'SYN-RECEIVED') return undefined;
    if (state === 'CLOSED') throw new SocketError('ECONNABORTED', 'connect');
    return true;
  }

  /** Octets taken; undefined: not one, for now. */
  send(
    octets: Uint8Array,
    options: { readonly isUrgent: boolean; readonly hasMore: boolean },
  ): number | undefined {
    const { socket } = this;
    const error = this.takeError();
    if (error !== undefined) throw new SocketError(error, 'send');
    const isOpening =
      socket.state === 'SYN-SENT' || (socket.state === 'SYN-RECEIVED' && !socket.block.isFastOpened);
    if (this.#isWriteShut || !socket.canSend) throw new SocketError('EPIPE', 'send');
    if (isOpening || socket.sendRoom === 0) return undefined;
    const isAll = octets.length <= socket.sendRoom;
    return socket.send(octets, { isUrgent: options.isUrgent && isAll, hasMore: options.hasMore });
  }

  /** Undefined: nothing, for now. */
  receive({ most, isPeek, mayWait }: ReceiveOptions): Received | undefined {
    const data = this.#inOrder(most, isPeek);
    if (data.length > 0) return { kind: 'data', data };
    if (this.#isAtEnd) return END;
    const error = this.takeError();
    if (error !== undefined) throw new SocketError(error, 'receive');
    if (this.#isReadShut || this.socket.state === 'CLOSED') return END;
    if (!mayWait) throw new SocketError('EAGAIN', 'receive');
    return undefined;
  }

  /** The FIN has come, and all before it was taken. A reset that comes later changes nothing about that. */
  get #isAtEnd(): boolean {
    return this.socket.available === 0 && (this.#hasEnded || this.socket.isAtEnd);
  }

  /** Up to the urgent octet, and from behind it: where it stands out of line no call reads across it. */
  #inOrder(most: number, isPeek: boolean): Uint8Array {
    const { socket } = this;
    const ahead = this.#mark.aheadOf(this.#taken);
    const isHere = ahead === 0 && !this.isUrgentInline && socket.available > 0;
    const limit = ahead === undefined || ahead <= 0 ? most : Math.min(most, ahead);
    if (isPeek) return socket.peek(isHere ? 1 : 0, limit);
    if (isHere) this.#advance(1);
    return this.#advance(limit);
  }

  #advance(octets: number): Uint8Array {
    const data = this.socket.receive(octets);
    this.#taken += data.length;
    this.#mark.passed(this.#taken);
    return data;
  }

  /** RECEIVE of the urgent octet. Undefined: it is announced and not here, or may still come. */
  receiveUrgent({ isPeek, mayWait }: ReceiveOptions): Received | undefined {
    const ahead = this.#mark.aheadOf(this.#taken);
    if (this.isUrgentInline || ahead === undefined || !this.#mark.isFresh) {
      if (mayWait && !this.isUrgentInline && !this.#isOver) return undefined;
      throw new SocketError('EINVAL', 'receive', 'there is no urgent data');
    }
    if (ahead < this.socket.available) {
      const data = this.socket.peek(ahead, 1);
      if (!isPeek) this.#mark.take();
      return { kind: 'data', data };
    }
    if (this.#isOver) return END;
    if (!mayWait) throw new SocketError('EAGAIN', 'receive');
    return undefined;
  }

  /** There is an urgent octet to be taken, here and now. */
  get hasUrgent(): boolean {
    const ahead = this.#mark.aheadOf(this.#taken);
    return ahead !== undefined && this.#mark.isFresh && ahead < this.socket.available;
  }

  /** SIOCATMARK. */
  get isAtMark(): boolean {
    return this.#mark.aheadOf(this.#taken) === 0;
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.socket.isAtEnd || this.#isReadShut || this.socket.state === 'CLOSED';
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    if (this.socket.state === 'CLOSED') throw new SocketError('ENOTCONN', 'shutdown');
    if (how !== 'write') this.#isReadShut = true;
    if (how === 'read') return;
    this.#isWriteShut = true;
    this.socket.shutdown();
  }

  queues(): Queues {
    const { block, available } = this.socket;
    const ahead = this.#mark.aheadOf(this.#taken);
    const isMarkHere = ahead !== undefined && ahead >= 0 && ahead < available && !this.isUrgentInline;
    const sent = Math.max((block.sndNxt - block.sendBase) | 0, 0);
    return {
      recvOctets: isMarkHere ? ahead : available,
      sendOctets: block.sendOctets,
      unsentOctets: Math.max(block.sendOctets - sent, 0),
    };
  }

  poll(): PollEvents {
    const { state, available, sendRoom } = this.socket;
    const isOpening = state === 'SYN-SENT' || state === 'SYN-RECEIVED';
    const isEnded = this.#isOver;
    const isMarkHere = this.isAtMark && !this.isUrgentInline;
    const isWriteShut = this.#isWriteShut || state === 'CLOSED';
    return {
      readable: isEnded || available > (isMarkHere ? 1 : 0),
      writable: !isOpening && (isWriteShut || sendRoom > 0),
      urgent: this.hasUrgent,
      peerClosed: isEnded,
      hungUp: state === 'CLOSED' || (isEnded && isWriteShut),
      error: this.#error !== undefined,
    };
  }
}
