/**
 * Which Ethernet address has which IP address: a small cache that asks when it does not know, keeps a few packets until the answer comes,
 * and asks again when what it knows has become old (in the manner of RFC 4861 section 7.3, for ARP as well). Knows no messages.
 */
import type { StackClock, StackTimer } from '../../host/index.js';

/** RFC 4861 section 10: REACHABLE_TIME, RETRANS_TIMER, MAX_UNICAST_SOLICIT. */
const REACHABLE_NS = 30e9;
const RETRANSMIT_NS = 1e9;
const MOST_ASKED = 3;
/** Packets that wait for one address. */
const MOST_WAITING = 64;
/** Whoever makes addresses up must not fill the memory. */
const MOST_KNOWN = 1024;

interface Neighbour {
  mac: Uint8Array | undefined;
  knownNs: number;
  asked: number;
  waiting: (() => void)[];
  timer: StackTimer | undefined;
}

export class Neighbours implements Disposable {
  readonly #clock: StackClock;
  readonly #ask: (ip: string, mac: Uint8Array | undefined) => void;
  readonly #known = new Map<string, Neighbour>();

  /** `ask` sends a request for an address: to everybody, or to the one who had it last. */
  constructor(clock: StackClock, ask: (ip: string, mac: Uint8Array | undefined) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  get count(): number {
    return this.#known.size;
  }

  /** Where to send now; undefined: not known, and it was asked. */
  find(ip: string): Uint8Array | undefined {
    const neighbour = this.#known.get(ip) ?? this.#add(ip);
    const isOld = neighbour.mac === undefined || this.#clock.now() - neighbour.knownNs > REACHABLE_NS;
    if (isOld && neighbour.timer === undefined) this.#inquire(ip, neighbour);
    return neighbour.mac;
  }

  /** Calls back once the address is known, or never. */
  whenKnown(ip: string, send: () => void): void {
    const { waiting } = this.#known.get(ip) ?? this.#add(ip);
    if (waiting.length >= MOST_WAITING) waiting.shift();
    waiting.push(send);
  }

  /** Somebody said so. `isAsked`: only where it was asked for, or known; anybody can say anything. */
  learn(ip: string, mac: Uint8Array, isAsked: boolean): void {
    let neighbour = this.#known.get(ip);
    if (neighbour === undefined) {
      if (isAsked) return;
      neighbour = this.#add(ip);
    }
    neighbour.mac = mac;
    neighbour.knownNs = this.#clock.now();
    neighbour.asked = 0;
    neighbour.timer?.cancel();
    neighbour.timer = undefined;
    for (const send of neighbour.waiting.splice(0)) send();
  }

  #add(ip: string): Neighbour {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MOST_KNOWN && oldest !== undefined) this.#forget(oldest);
    const neighbour: Neighbour = { mac: undefined, knownNs: 0, asked: 0, waiting: [], timer: undefined };
    this.#known.set(ip, neighbour);
    return neighbour;
  }

  #inquire(ip: string, neighbour: Neighbour): void {
    if (neighbour.asked >= MOST_ASKED) {
      this.#forget(ip);
      return;
    }
    neighbour.asked += 1;
    neighbour.timer = this.#clock.at(this.#clock.now() + RETRANSMIT_NS, () => this.#inquire(ip, neighbour));
    this.#ask(ip, neighbour.mac);
  }

  #forget(ip: string): void {
    this.#known.get(ip)?.timer?.cancel();
    this.#known.delete(ip);
  }

  [Symbol.dispose](): void {
    for (const ip of [...this.#known.keys()]) this.#forget(ip);
  }
}
