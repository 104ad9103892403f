/** What carries IP packets between the stack and a network. */

/** Takes an IP packet that has come. The octets are the device's: what must outlive the call is to be copied. */
export type Receive = (packet: Uint8Array, facts: ArrivalFacts) => void;

export interface ArrivalFacts {
  /** Whoever handed the packet over vouches for its checksums: it never was on a wire, or somebody has looked. */
  readonly isTrusted: boolean;
}

export interface PacketDevice extends Disposable {
  /** The largest IP packet that the link carries. */
  readonly mtu: number;
  /**
   * The largest packet that is taken from the stack for several segments, to be cut where they leave, with a TCP checksum of the pseudo
   * header only; 0: none, each segment comes by itself and is complete.
   */
  readonly offloadOctets: number;
  /** Called once, before anything else. */
  start(receive: Receive): void;
  /** Takes a packet along. It leaves when the program's turn is over at the latest. `segmentOctets`: to be cut into pieces of so much data. */
  send(packet: Uint8Array, segmentOctets: number): void;
  /** Hands over what has come now. */
  poll(): void;
  /** Whether packets that may come keep the process running; they do not at first. */
  ref(): void;
  unref(): void;
}
