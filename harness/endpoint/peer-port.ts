/** A scripted peer's way onto the wire; a lab provides it. */
import type { Clock, Nanos } from '../clock/index.js';
import type { Side } from '../fault/index.js';

export interface PeerPort {
  readonly side: Side;
  readonly clock: Clock;
  /** The peer's own address, and that of the stack opposite. */
  readonly ip: string;
  readonly remoteIp: string;
  /** Puts an IP packet onto the wire. It passes the fault plan like any other. */
  send(packet: Uint8Array): void;
  /** Called for each IP packet that the wire delivers to the peer, in order, with the time of its delivery. */
  onPacket(receive: (packet: Uint8Array, atNs: Nanos) => void): void;
}
