/** Initial sequence numbers, RFC 9293 section 3.4.1 and RFC 6528: ISN = M + F(localip, localport, remoteip, remoteport, secretkey). */
import { type SeqNumber, seqNumber } from '../../harness/segment/index.js';
import type { Nanos, SocketAddress } from '../tcp/index.js';
import type { KeyedHash } from './keyed-hash.js';

/** M counts up every 4 microseconds. */
const TICK_NS = 4000;

export const initialSequence = (
  secret: KeyedHash,
  local: SocketAddress,
  remote: SocketAddress,
  nowNs: Nanos,
): SeqNumber => seqNumber(Math.floor(nowNs / TICK_NS) + secret.ofPair('isn', local, remote));

/** So many pairs of hosts are remembered: who floods from many addresses must not fill the memory. */
const MOST_KEPT = 256;

/** RFC 7323 section 7.1: where timestamps begin; the same for all connections of two hosts, so that PAWS and RFC 6191 work across them. */
export class TimestampOffsets {
  readonly #secret: KeyedHash;
  readonly #known = new Map<string, number>();

  constructor(secret: KeyedHash) {
    this.#secret = secret;
  }

  of(localIp: string, remoteIp: string): number {
    const pair = `${localIp} ${remoteIp}`;
    const known = this.#known.get(pair);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_KEPT) this.#known.clear();
    const offset = this.#secret.uint32('timestamps', localIp, remoteIp);
    this.#known.set(pair, offset);
    return offset;
  }
}
