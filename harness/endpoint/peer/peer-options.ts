/** What can be set on a scripted peer and on each of its steps. */
import type { Duration } from '../../clock/index.js';
import type { OutgoingOptions } from './outgoing-segment.js';
import type { SeqNumbers } from './sequence-points.js';
import type { Skip } from './skip.js';

export interface PeerOptions {
  /** The peer's port; 40000 when absent, or the one that a SYN comes to. */
  readonly port?: number;
  /** The port opposite; else that of `connect`, of the first segment sent, or of the first that comes. */
  readonly remotePort?: number;
  /** The initial sequence number; when absent, a clock of 4 µs ticks gives it (RFC 9293 section 3.4.1). */
  readonly iss?: number;
  /** How plain numbers in `seq` and `ack` are meant (default `absolute`). */
  readonly numbers?: SeqNumbers;
  /** SEG.WND of what it sends (default 65535). */
  readonly window?: number;
  /** The options of its SYN and SYN,ACK; the MSS of a 1500 octet MTU when absent. */
  readonly offer?: OutgoingOptions;
  /** How long `expect` waits when it is not told (default 5 s). */
  readonly within?: Duration;
}

export interface SendOptions {
  /** Names the segment's first sequence number, and `NAME.end` the one behind its last. */
  readonly as?: string;
}

export interface ExpectOptions extends SendOptions {
  readonly within?: Duration;
  /** At least so long after the segment that the script sent or took before. */
  readonly notBefore?: Duration;
  /** Segments to pass over. None when absent: the next one must match. */
  readonly skip?: Skip | readonly Skip[];
}

export interface AcceptOptions extends Pick<ExpectOptions, 'within' | 'skip'> {
  readonly offer?: OutgoingOptions;
}

export interface ConnectOptions extends AcceptOptions {
  readonly port: number;
  readonly fromPort?: number;
}
