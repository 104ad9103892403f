/** The harness's end of one of a guest's cards: frames both ways, none of them waited for. */
import koffi from 'koffi';
import { check, errnoName, libc, MSG_DONTWAIT, MSG_NOSIGNAL, SOL_SOCKET, SysError } from '../sys/index.js';

/** What a card of the wire is made for. It receives into buffers of that size, and TCP reckons with the buffer: no larger than needed. */
export const USUAL_MTU = 1500;
/** The MTU of the other cards. */
export const GUEST_MTU = 16_000;
const FRAME_OCTETS = GUEST_MTU + 64;
const STORE_OCTETS = 16 * FRAME_OCTETS;
const BUFFER_OCTETS = 4 * 1024 * 1024;
/** More than this in one go: the card's queue may have been full, and the guest has more. */
const MAY_HAVE_MORE_OCTETS = 60_000;
const SO_SNDBUF = 7;
/** The latter four: the other end is closed. */
const NOT_NOW: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EINTR',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTCONN',
  'EPIPE',
]);

/** Gives a card's socket room for all that is sent at one time. */
export function widen(fd: number): void {
  const octets = new Uint8Array(Int32Array.of(BUFFER_OCTETS).buffer);
  check(libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, octets, octets.length), 'setsockopt');
}

export class GuestCard {
  readonly #fd: number;
  readonly #receive: (frame: Uint8Array) => void;
  /** Where frames are received, one behind the other; each stays where it is. */
  #store = new Uint8Array(STORE_OCTETS);
  #stored = 0;
  /** Frames to be sent. */
  readonly #waiting: Uint8Array[] = [];

  /** `receive` gets each frame that leaves the guest, when `take` is called. */
  constructor(fd: number, receive: (frame: Uint8Array) => void) {
    this.#fd = fd;
    this.#receive = receive;
  }

  /** Keeps it for the guest's next run: a frame alone would wake the guest, which then sleeps until it may run. */
  send(frame: Uint8Array): void {
    this.#waiting.push(frame);
  }

  /** Hands over what has left the guest. True: there may be more of it, or of ours, for which there was no room. */
  take(haveLeft: boolean): boolean {
    let taken = 0;
    while (haveLeft) {
      if (this.#stored + FRAME_OCTETS > STORE_OCTETS) {
        this.#store = new Uint8Array(STORE_OCTETS);
        this.#stored = 0;
      }
      const room = this.#store.subarray(this.#stored, this.#stored + FRAME_OCTETS);
      const octets = unlessNotNow(libc.recv(this.#fd, room, FRAME_OCTETS, MSG_DONTWAIT), 'recv');
      if (octets === undefined || octets === 0) break;
      taken += octets;
      this.#stored += octets;
      this.#receive(room.subarray(0, octets));
    }
    return this.#waiting.length > 0 || taken > MAY_HAVE_MORE_OCTETS;
  }

  /** Puts what was sent before the guest, which runs next. What finds no room stays. */
  give(): void {
    if (this.#waiting.length === 0) return;
    let sent = 0;
    for (const frame of this.#waiting) {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (unlessNotNow(libc.send(this.#fd, frame, frame.length, flags), 'send') === undefined) break;
      sent += 1;
    }
    this.#waiting.splice(0, sent);
  }

  [Symbol.dispose](): void {
    libc.close(this.#fd);
  }
}

/** Undefined: not now. That the guest is gone is its clock's to find: frames are sent by stories, which cannot mend it. */
function unlessNotNow(result: number, call: string): number | undefined {
  if (result >= 0) return result;
  const code = errnoName(koffi.errno());
  if (NOT_NOW.has(code)) return undefined;
  throw new SysError(code, call);
}
