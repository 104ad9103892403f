/** TCP Fast Open's cookies (RFC 7413): those that this host gives out, and those that it was given. */
import type { KeyedHash } from './keyed-hash.js';

/** Section 4.1.1: 4 to 16 octets. */
const COOKIE_OCTETS = 8;
const MOST_KEPT = 1024;

export class FastOpenCookies {
  readonly #secret: KeyedHash;
  readonly #given = new Map<string, Uint8Array>();

  constructor(secret: KeyedHash) {
    this.#secret = secret;
  }

  /** Section 4.1.2: of the client's address and a key. */
  own(clientIp: string): Uint8Array {
    return new Uint8Array(this.#secret.octets('fast-open', clientIp).subarray(0, COOKIE_OCTETS));
  }

  isOwn(clientIp: string, cookie: Uint8Array): boolean {
    return Buffer.from(cookie).equals(this.own(clientIp));
  }

  /** What a server has given this host; empty: none, to be asked for. */
  of(serverIp: string): Uint8Array {
    return this.#given.get(serverIp) ?? new Uint8Array(0);
  }

  keep(serverIp: string, cookie: Uint8Array): void {
    if (cookie.length < 4 || cookie.length > 16) return;
    const [oldest] = this.#given.keys();
    if (this.#given.size >= MOST_KEPT && oldest !== undefined) this.#given.delete(oldest);
    this.#given.set(serverIp, cookie.slice());
  }
}
