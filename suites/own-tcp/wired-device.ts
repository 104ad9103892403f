/** The harness's wire between the project's own stack and its device: what a fault plan picks happens to packets of both directions. */
import { type Fault, RealClock, type Receipt, type Side, Wire } from '../../harness/index.js';
import type { PacketDevice, Receive } from '../../stack/device/index.js';

export interface WiredOptions {
  /** Which side of the wire the stack is. */
  readonly side: Side;
  readonly faults: readonly Fault[];
}

export class WiredDevice implements PacketDevice {
  readonly mtu: number;
  /** What is to be lost is one segment, not forty. */
  readonly offloadOctets = 0;
  readonly #device: PacketDevice;
  readonly #clock = new RealClock(process.hrtime.bigint());
  readonly #wire: Wire;
  readonly #side: Side;
  #receive: Receive | undefined;

  constructor(device: PacketDevice, { side, faults }: WiredOptions) {
    this.#device = device;
    this.mtu = device.mtu;
    this.#side = side;
    const stack = { send: (packet: Uint8Array) => this.#receive?.(packet, { isTrusted: false }) };
    const network = { send: (packet: Uint8Array) => device.send(packet, 0) };
    this.#wire = new Wire({
      clock: this.#clock,
      carriers: side === 'client' ? { client: stack, server: network } : { client: network, server: stack },
      recorder: { arrived: () => {}, delivered: () => {}, updated: () => {} },
      faults,
    });
  }

  get receipts(): readonly Receipt[] {
    return this.#wire.receipts();
  }

  start(receive: Receive): void {
    this.#receive = receive;
    const far = this.#side === 'client' ? 'server' : 'client';
    this.#device.start((packet) => this.#wire.arrive(far, packet, this.#clock.now()));
  }

  send(packet: Uint8Array): void {
    this.#wire.arrive(this.#side, packet, this.#clock.now());
  }

  poll(): void {
    this.#device.poll();
  }

  ref(): void {
    this.#device.ref();
  }

  unref(): void {
    this.#device.unref();
  }

  [Symbol.dispose](): void {
    this.#wire.close();
    this.#device[Symbol.dispose]();
  }
}
