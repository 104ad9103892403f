/** What a guest's kernel says on its console: read without waiting, and the last of it kept. */
import { libc, MSG_DONTWAIT } from '../sys/index.js';

const KEPT_OCTETS = 65_536;
const READ_OCTETS = 4096;

export class KernelLog implements Disposable {
  readonly #fd: number;
  readonly #decoder = new TextDecoder();
  readonly #chunk = new Uint8Array(READ_OCTETS);
  #text = '';
  #isOver = false;

  /** Takes over the reading end of the console's socket. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  take(): void {
    while (!this.#isOver) {
      const octets = libc.recv(this.#fd, this.#chunk, READ_OCTETS, MSG_DONTWAIT);
      // Nothing now, or nothing ever more.
      if (octets <= 0) return;
      this.#text += this.#decoder.decode(this.#chunk.subarray(0, octets), { stream: true });
      if (this.#text.length > 2 * KEPT_OCTETS) this.#text = this.#text.slice(-KEPT_OCTETS);
    }
  }

  text(): string {
    this.take();
    return this.#text.slice(-KEPT_OCTETS).trimEnd();
  }

  /** What was read remains. */
  [Symbol.dispose](): void {
    this.take();
    this.#isOver = true;
    libc.close(this.#fd);
  }
}
