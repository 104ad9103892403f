/** The way between the wire's thread and that of the project's own TCP: packets, without the main thread. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { OwnPacket, StampedPacket } from '../own-thread/protocol.js';

export class OwnPort {
  #port: MessagePort | undefined;

  /** The thread has been started, or another one in its place. */
  open(port: MessagePort): void {
    this.#port?.close();
    this.#port = port;
  }

  send(packet: OwnPacket): void {
    this.#port?.postMessage(packet);
  }

  /** Takes what has come; the number of packets. */
  take(each: (packet: StampedPacket) => void): number {
    const port = this.#port;
    if (port === undefined) return 0;
    for (let taken = 0; ; taken += 1) {
      const received = receiveMessageOnPort(port);
      if (received === undefined) return taken;
      // The other end of this port is that thread's alone.
      each(received.message as StampedPacket);
    }
  }
}
