/** The sockets that were opened over one channel, by their handles, from the first request to the end of the last linger time. */
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import { SocketError } from '../endpoint.js';
import type { Lingering, PolledAccepted, PolledSocket } from '../polled-socket.js';
import { type AnswerQueue, BadRequest } from './answer-queue.js';
import { ServedSocket } from './served-socket.js';
import type { WaitingRoom } from './waiting-room.js';

export const MOST_SOCKETS = 60_000;
const MOST_LINGERING = 1024;
const MOST_HANDLE = 0xffff_ffff;

export interface ServedSocketsOptions {
  readonly clock: Clock;
  readonly answers: AnswerQueue;
  readonly room: WaitingRoom;
}

export class ServedSockets {
  readonly #options: ServedSocketsOptions;
  readonly #sockets = new Map<number, ServedSocket>();
  #lastHandle = 0;
  #lingering = 0;

  constructor(options: ServedSocketsOptions) {
    this.#options = options;
  }

  /** One that is asked may be otherwise than was said of it, and is looked at. */
  get(handle: number): ServedSocket {
    const found = this.#sockets.get(handle);
    if (found === undefined) throw new BadRequest('the handle is no socket’s');
    found.due();
    return found;
  }

  /** The new socket's handle. */
  make(open: () => PolledSocket): number {
    this.#checkRoom('socket');
    return this.#adopt(open(), false);
  }

  #checkRoom(call: string): void {
    if (this.#sockets.size >= MOST_SOCKETS || this.#lastHandle >= MOST_HANDLE)
      throw new SocketError('EMFILE', call);
  }

  #adopt(socket: PolledSocket, isAccepted: boolean): number {
    const { answers, room } = this.#options;
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    const adopt = (accept: () => PolledAccepted | undefined) => this.#adoptFrom(accept);
    this.#sockets.set(handle, new ServedSocket({ handle, socket, isAccepted, answers, room, adopt }));
    return handle;
  }

  #adoptFrom(accept: () => PolledAccepted | undefined) {
    this.#checkRoom('accept');
    const accepted = accept();
    return accepted === undefined ? undefined : { handle: this.#adopt(accepted.socket, true), accepted };
  }

  /** `over` is called when its linger time is, or at once where it has none. */
  close(handle: number, over: () => void): void {
    const served = this.get(handle);
    if (this.#lingering >= MOST_LINGERING)
      throw new SocketError('ENOBUFS', 'close', 'too many are closing with a linger time');
    this.#sockets.delete(handle);
    const lingering = served.close();
    if (lingering === undefined) over();
    else this.#linger(served.socket, lingering, over);
  }

  #linger(socket: PolledSocket, { mostMs, isOver }: Lingering, over: () => void): void {
    const { clock } = this.#options;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      timer.cancel();
      this.#lingering -= 1;
      over();
    };
    this.#lingering += 1;
    const timer = clock.at(clock.now() + mostMs * NANOS_PER_MS, end);
    socket.onChange(() => {
      if (isOver()) end();
    });
  }

  abort(handle: number): void {
    const served = this.get(handle);
    this.#sockets.delete(handle);
    served.abort();
  }

  abortAll(): void {
    for (const handle of [...this.#sockets.keys()]) this.abort(handle);
  }

  /** Whatever could not be answered for want of room may be now. */
  dueAll(): void {
    for (const socket of this.#sockets.values()) socket.due();
  }
}
