/** TCP Fast Open's cookies (RFC 7413): those that this host gives out, and those that it was given. */
import type { Nanos } from '../tcp/index.js';
import type { KeyedHash } from './keyed-hash.js';

/** Section 4.1.1: 4 to 16 octets. */
const COOKIE_OCTETS = 8;
const MOST_KEPT = 1024;
/** Section 4.1.3.1: how long a path that seems to drop SYNs with the option is spared them. */
const SPARED_NS = 3600e9;

export class FastOpenCookies {
  readonly #secret: KeyedHash;
  readonly #given = new Map<string, Uint8Array>();
  readonly #sparedUntilNs = new Map<string, Nanos>();

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
    put(this.#given, serverIp, cookie.slice());
  }

  /** Negative caching: a SYN with the option was lost, and the one without was answered. */
  spare(serverIp: string, nowNs: Nanos): void {
    put(this.#sparedUntilNs, serverIp, nowNs + SPARED_NS);
  }

  isSpared(serverIp: string, nowNs: Nanos): boolean {
    return (this.#sparedUntilNs.get(serverIp) ?? Number.NEGATIVE_INFINITY) > nowNs;
  }
}

/** The oldest makes room. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (map.size >= MOST_KEPT && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}
