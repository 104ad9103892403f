/** A program at one end of a connection, as data: how much it sends and how it reads, when it closes, and when it gives up. */
import type { StackClock, TcpSocket } from '../host/index.js';
import { fromMs, type TcpError } from '../tcp/index.js';
import { isText, text } from './text.js';
import { demand } from './violation.js';

export interface ProgramPlan {
  /** It sends so many octets in all. */
  readonly sends: number;
  /** In pieces of so many; default: all at once. */
  readonly pieces?: number;
  /** So long after one another; default: as fast as they are taken. */
  readonly everyMs?: number;
  /** Not before it has received so many; default 0. */
  readonly sendsAfter?: number;
  /** Every n-th piece is urgent. */
  readonly urgentEvery?: number;
  /** It closes as soon as all is sent, or not before the other side has closed, or when it has received so many octets. */
  readonly closes: 'when sent' | 'after end' | number;
  /** It lets go of the connection as it closes, and does not wait for the other side to close. */
  readonly releases?: boolean;
  /** It reads so many octets at a time, and not more often; default: all, at once. */
  readonly reads?: { readonly octets: number; readonly everyMs: number };
  /** It calls ABORT when it has received so many octets. */
  readonly abortsAfter?: number;
}

/** Small enough for every send buffer that a simulation gives. */
const MOST_EARLY = 100;

export class Program {
  readonly plan: ProgramPlan;
  sent = 0;
  received = 0;
  hasSeenEnd = false;
  hasAborted = false;
  socket: TcpSocket | undefined;
  readonly #clock: StackClock;
  /** Which stream it sends; the other side's is the one that it must receive. */
  readonly #stream: number;
  #pieces = 0;
  #maySend = true;
  #mayRead = true;
  #isGoing = false;
  #hasClosed = false;

  constructor(plan: ProgramPlan, stream: number, clock: StackClock) {
    this.plan = plan;
    this.#stream = stream;
    this.#clock = clock;
  }

  get error(): TcpError | undefined {
    return this.socket?.error;
  }

  /** What it gives with the call that opens the connection. */
  early(isWanted: boolean): { readonly data?: Uint8Array } {
    const { sends, sendsAfter = 0 } = this.plan;
    const octets = Math.min(sends, MOST_EARLY);
    if (!isWanted || sendsAfter > 0 || octets === 0) return {};
    this.sent = octets;
    return { data: text(this.#stream, 0, octets) };
  }

  /** It has the connection now. */
  take(socket: TcpSocket): void {
    this.socket = socket;
    socket.onNotice = () => this.#go(socket);
    this.#go(socket);
  }

  #go(socket: TcpSocket): void {
    // Its own calls cause notices too.
    if (this.#isGoing) return;
    this.#isGoing = true;
    try {
      this.#read(socket);
      if (this.plan.abortsAfter !== undefined && this.received >= this.plan.abortsAfter) this.#abort(socket);
      this.#send(socket);
      this.#close(socket);
    } finally {
      this.#isGoing = false;
    }
  }

  #read(socket: TcpSocket): void {
    const { reads } = this.plan;
    const most = reads?.octets ?? 1 << 20;
    while (this.#mayRead && socket.available > 0) {
      const data = socket.receive(most);
      demand(data.length > 0 && data.length <= most, () => `RECEIVE of ${most} octets gave ${data.length}`);
      demand(
        isText(1 - this.#stream, this.received, data),
        () => `what was delivered at ${this.received} is not what was sent`,
      );
      this.received += data.length;
      if (reads !== undefined && reads.everyMs > 0) {
        this.#mayRead = false;
        this.#after(reads.everyMs, socket, () => (this.#mayRead = true));
      }
    }
    if (socket.isAtEnd) this.hasSeenEnd = true;
  }

  #send(socket: TcpSocket): void {
    const { sends, pieces = sends, everyMs = 0, sendsAfter = 0, urgentEvery = 0 } = this.plan;
    while (this.#maySend && socket.canSend && this.sent < sends && this.received >= sendsAfter) {
      const octets = Math.min(pieces, sends - this.sent);
      const isUrgent = urgentEvery > 0 && this.#pieces % urgentEvery === urgentEvery - 1;
      const taken = socket.send(text(this.#stream, this.sent, octets), { isUrgent });
      if (taken === 0) return;
      this.sent += taken;
      this.#pieces += 1;
      if (everyMs > 0) {
        this.#maySend = false;
        this.#after(everyMs, socket, () => (this.#maySend = true));
      }
    }
  }

  #close(socket: TcpSocket): void {
    const { sends, closes, releases = false } = this.plan;
    if (this.sent < sends || this.hasAborted || socket.state === 'SYN-SENT') return;
    const isTime =
      closes === 'when sent' || (closes === 'after end' ? this.hasSeenEnd : this.received >= closes);
    if (isTime && !this.#hasClosed) {
      this.#hasClosed = true;
      socket.shutdown();
    }
    if (this.#hasClosed && (releases || this.hasSeenEnd)) socket.close();
  }

  #abort(socket: TcpSocket): void {
    if (this.hasAborted) return;
    this.hasAborted = true;
    socket.abort();
  }

  #after(ms: number, socket: TcpSocket, change: () => void): void {
    this.#clock.at(this.#clock.now() + fromMs(ms), () => {
      change();
      this.#go(socket);
    });
  }
}
