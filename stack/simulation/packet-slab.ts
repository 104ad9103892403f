/** Memory for packets under way. Small ones share it: to ask for each one's own costs more than to copy it. None is used twice. */

const SLAB_OCTETS = 16_384;
const SMALL_OCTETS = 512;

export class PacketSlab {
  #slab = new Uint8Array(SLAB_OCTETS);
  #used = 0;

  /** A copy that nobody changes. */
  keep(packet: Uint8Array): Uint8Array {
    if (packet.length > SMALL_OCTETS) return packet.slice();
    if (this.#used + packet.length > SLAB_OCTETS) {
      this.#slab = new Uint8Array(SLAB_OCTETS);
      this.#used = 0;
    }
    const kept = this.#slab.subarray(this.#used, this.#used + packet.length);
    kept.set(packet);
    this.#used += packet.length;
    return kept;
  }
}
