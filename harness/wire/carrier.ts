/** What lies below a wire: the way in to one side. */

export interface Carrier {
  /** Hands an IP packet to the side. The carrier reports its own failures; a packet it cannot hand over is lost. */
  send(packet: Uint8Array): void;
}
