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

/** RFC 7323 section 7.1: where timestamps begin; the same for all connections of two hosts, so that PAWS and RFC 6191 work across them. */
export const timestampOffset = (secret: KeyedHash, localIp: string, remoteIp: string): number =>
  secret.uint32('timestamps', localIp, remoteIp);
