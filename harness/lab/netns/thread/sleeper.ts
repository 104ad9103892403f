/** Sleeps until a packet comes, the main thread wakes us, or a time is reached. */
import type { Nanos } from '../../../clock/index.js';
import { check, checkAgain, libc } from '../../../sys/index.js';

const POLLIN = 1;
const POLLFD_OCTETS = 8;
const MOST_FDS = 8;
const PR_SET_TIMERSLACK = 29;
const NANOS_PER_SECOND = 1_000_000_000;

export class Sleeper {
  readonly #wakeFd: number;
  readonly #fds = new DataView(new ArrayBuffer(POLLFD_OCTETS * MOST_FDS));
  readonly #fdsOctets = new Uint8Array(this.#fds.buffer);
  readonly #timespec = new DataView(new ArrayBuffer(16));
  readonly #timespecOctets = new Uint8Array(this.#timespec.buffer);
  readonly #count = new Uint8Array(8);

  /** For the calling thread. `wakeFd` is an eventfd. */
  constructor(wakeFd: number) {
    this.#wakeFd = wakeFd;
    // Sleeps end when they should, not up to 50 µs later.
    check(libc.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0), 'prctl(PR_SET_TIMERSLACK)');
  }

  sleep(forNs: Nanos, fds: readonly number[]): void {
    [this.#wakeFd, ...fds].slice(0, MOST_FDS).forEach((fd, i) => {
      this.#fds.setInt32(i * POLLFD_OCTETS, fd, true);
      this.#fds.setUint32(i * POLLFD_OCTETS + 4, POLLIN, true);
    });
    const ns = Math.max(0, Math.ceil(forNs));
    this.#timespec.setUint32(0, Math.floor(ns / NANOS_PER_SECOND), true);
    this.#timespec.setUint32(8, ns % NANOS_PER_SECOND, true);
    const count = Math.min(1 + fds.length, MOST_FDS);
    checkAgain(libc.ppollBlocking(this.#fdsOctets, count, this.#timespecOctets, null), 'ppoll');
    const wasWoken = (this.#fds.getUint16(6, true) & POLLIN) !== 0;
    if (wasWoken) checkAgain(libc.read(this.#wakeFd, this.#count, 8), 'read(eventfd)');
  }
}
