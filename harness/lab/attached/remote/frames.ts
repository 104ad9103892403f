/** Values as octets on a stream, one after the other: a length (32 bits, little-endian), and the value as Node serializes it. */
import { deserialize, serialize } from 'node:v8';

const LENGTH_OCTETS = 4;
/** More than a wire has to say at once: whoever says more speaks of something else. */
const MOST_OCTETS = 256 << 20;

export function frameOf(value: unknown): Uint8Array {
  const octets = serialize(value);
  const frame = Buffer.allocUnsafe(LENGTH_OCTETS + octets.length);
  frame.writeUInt32LE(octets.length);
  frame.set(octets, LENGTH_OCTETS);
  return frame;
}

/** Puts together what comes in pieces. */
export class FrameReader {
  #pieces: Uint8Array[] = [];
  #octets = 0;

  /** The values that are whole now. Throws a `RangeError` where these are no frames. */
  take(piece: Uint8Array): readonly unknown[] {
    this.#pieces.push(piece);
    this.#octets += piece.length;
    const values: unknown[] = [];
    for (let length = this.#length(); length !== undefined; length = this.#length()) {
      if (this.#octets < LENGTH_OCTETS + length) break;
      const all = this.#joined();
      const end = LENGTH_OCTETS + length;
      values.push(deserialized(all.subarray(LENGTH_OCTETS, end)));
      this.#pieces = [all.subarray(end)];
      this.#octets -= end;
    }
    return values;
  }

  #length(): number | undefined {
    if (this.#octets < LENGTH_OCTETS) return undefined;
    const [first] = this.#pieces;
    const head = first !== undefined && first.length >= LENGTH_OCTETS ? first : this.#joined();
    const length = Buffer.from(head.buffer, head.byteOffset, LENGTH_OCTETS).readUInt32LE();
    if (length > MOST_OCTETS) throw new RangeError(`no frame is as long as ${length} octets`);
    return length;
  }

  #joined(): Uint8Array {
    const [first] = this.#pieces;
    const all = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}

function deserialized(octets: Uint8Array): unknown {
  try {
    // Octets of its own: what is read shares their memory.
    return deserialize(octets.slice());
  } catch {
    throw new RangeError('a frame holds no value');
  }
}
