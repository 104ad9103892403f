/** What lies below a wire: the way in to one side. */

export interface Carrier {
  /**
   * Hands an IP packet to the side. The carrier reports its own failures; a packet it cannot hand over is lost. `arrived` is what came
   * onto the wire for it: the same octets unless a fault changed them, and itself where nobody sent it.
   */
  send(packet: Uint8Array, arrived: Uint8Array): void;
}
