/** Path MTUs that were learnt, by destination: connections to the same host begin with them (RFC 8201 section 5.2). */
import type { Nanos } from '../tcp/index.js';

/** RFC 8201 section 5.3: forgotten after 10 minutes, lest a path that has become larger stay unused. */
const KEPT_NS = 600e9;
/** Whoever forges ICMP must not fill the memory. */
const MOST_KEPT = 1024;

export class PathMtus {
  readonly #known = new Map<string, { readonly mtu: number; readonly untilNs: Nanos }>();

  get(ip: string, nowNs: Nanos): number | undefined {
    const found = this.#known.get(ip);
    if (found === undefined || found.untilNs > nowNs) return found?.mtu;
    this.#known.delete(ip);
    return undefined;
  }

  learn(ip: string, mtu: number, nowNs: Nanos): void {
    this.#known.delete(ip);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MOST_KEPT && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(ip, { mtu, untilNs: nowNs + KEPT_NS });
  }
}
