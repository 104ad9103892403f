/**
 * The way to a guest's agent: frames on the guest's control card, which arrive at an exact virtual time. Each carries a piece of the
 * stream of octets, its length first, since short frames are padded.
 */
import type { AgentChannel } from '../../endpoint/index.js';
import { GUEST_MTU } from '../../uml/index.js';
import { BROADCAST_MAC, decodeFrame, ETHERTYPE_AGENT, encodeFrame } from './ethernet.js';

const LENGTH_OCTETS = 2;
const MOST_OCTETS = GUEST_MTU - LENGTH_OCTETS;
/** Ours, on the control card. */
const SOURCE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 3);

export class FrameChannel implements AgentChannel {
  readonly #send: (frame: Uint8Array) => void;
  #receive: (octets: Uint8Array) => void = () => {};
  #ended: (reason: string) => void = () => {};
  #closed: () => void = () => {};
  #isOver = false;

  constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  send(octets: Uint8Array): void {
    if (this.#isOver) return;
    for (let at = 0; at < octets.length; at += MOST_OCTETS)
      this.#sendPiece(octets.subarray(at, at + MOST_OCTETS));
  }

  #sendPiece(piece: Uint8Array): void {
    const payload = new Uint8Array(LENGTH_OCTETS + piece.length);
    new DataView(payload.buffer).setUint16(0, piece.length);
    payload.set(piece, LENGTH_OCTETS);
    this.#send(
      encodeFrame({ destination: BROADCAST_MAC, source: SOURCE_MAC, etherType: ETHERTYPE_AGENT, payload }),
    );
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onEnd(ended: (reason: string) => void): void {
    this.#ended = ended;
  }

  /** A frame has come from the guest's control card. */
  take(octets: Uint8Array): void {
    const frame = decodeFrame(octets);
    if (frame?.etherType !== ETHERTYPE_AGENT || frame.payload.length < LENGTH_OCTETS) return;
    const { payload } = frame;
    const length = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    this.#receive(payload.subarray(LENGTH_OCTETS, LENGTH_OCTETS + length));
  }

  /** Called when the harness's end was closed: what the agent said made no sense. */
  onClose(closed: () => void): void {
    this.#closed = closed;
  }

  /** The guest is gone. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended(reason);
  }

  close(): void {
    if (this.#isOver) return;
    this.end('the channel was closed');
    this.#closed();
  }
}
