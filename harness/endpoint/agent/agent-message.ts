/** Messages of the agent protocol, and their cutting out of a stream of octets. Pure. */
import { Malformed, OctetReader, OctetWriter } from './octet-fields.js';

export interface AgentMessage {
  readonly type: number;
  readonly status: number;
  readonly id: number;
  readonly handle: number;
  readonly payload: Uint8Array;
}

export const REPLY_BIT = 0x8000;
export const EVENT_TYPE = 0xffff;
/** What stands before a payload, without and with the length. */
export const HEADER_OCTETS = 12;
const LENGTH_OCTETS = 4;
/** The longest message, without its length. */
export const MOST_OCTETS = 262_144;

export const Status = { ok: 0, stackError: 1, unsupported: 2, cancelled: 3, badRequest: 4 } as const;

export function encodeMessage({ type, status, id, handle, payload }: AgentMessage): Uint8Array {
  const length = HEADER_OCTETS + payload.length;
  if (length > MOST_OCTETS)
    throw new RangeError(`a message of ${length} octets is too long: the protocol allows ${MOST_OCTETS}`);
  const out = new OctetWriter();
  out.number(4, length);
  out.number(2, type);
  out.number(2, status);
  out.number(4, id);
  out.number(4, handle);
  out.octets(payload);
  return out.whole();
}

/** Cuts a stream into messages, however it arrives. */
export class MessageDecoder {
  #parts: Uint8Array[] = [];
  #octets = 0;
  #wanted = LENGTH_OCTETS;

  /** The messages that are whole now. Throws `Malformed` for a length out of range: the stream cannot be understood from there on. */
  *take(octets: Uint8Array): Generator<AgentMessage> {
    this.#parts.push(octets);
    this.#octets += octets.length;
    while (this.#octets >= this.#wanted) {
      const whole = this.#joined();
      const length = new OctetReader(whole).number(LENGTH_OCTETS);
      if (length < HEADER_OCTETS || length > MOST_OCTETS)
        throw new Malformed(
          `a message says that it has ${length} octets: ${HEADER_OCTETS} to ${MOST_OCTETS} are possible`,
        );
      this.#wanted = LENGTH_OCTETS + length;
      if (whole.length < this.#wanted) return;
      const message = whole.subarray(LENGTH_OCTETS, this.#wanted);
      this.#parts = [whole.subarray(this.#wanted)];
      this.#octets -= this.#wanted;
      this.#wanted = LENGTH_OCTETS;
      yield decodeMessage(message);
    }
  }

  #joined(): Uint8Array {
    const [only] = this.#parts;
    if (only !== undefined && this.#parts.length === 1) return only;
    const whole = new Uint8Array(this.#octets);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [whole];
    return whole;
  }
}

function decodeMessage(octets: Uint8Array): AgentMessage {
  const from = new OctetReader(octets);
  return {
    type: from.number(2),
    status: from.number(2),
    id: from.number(4),
    handle: from.number(4),
    payload: plain(from.octets(from.remaining)),
  };
}

/** Never a Buffer, whose methods are others. */
const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);
