/**
 * The two outputs of a container, which the engine sends through one connection: each piece with a head of eight octets, which has
 * the stream's number and the piece's length. Pieces can be cut anywhere. Pure.
 */

export const STREAM = { stdin: 0, stdout: 1, stderr: 2 } as const;

export interface Piece {
  readonly stream: number;
  readonly octets: Buffer;
}

const HEAD = 8;

export class Demultiplexer {
  readonly #head = Buffer.alloc(HEAD);
  #headLength = 0;
  #left = 0;

  /** What a chunk of the connection has, without copies of its octets. */
  *pieces(chunk: Buffer): Generator<Piece> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const taken = chunk.copy(this.#head, this.#headLength, at, at + HEAD - this.#headLength);
        this.#headLength += taken;
        at += taken;
        if (this.#headLength < HEAD) return;
        this.#headLength = 0;
        this.#left = this.#head.readUInt32BE(4);
        continue;
      }
      const octets = chunk.subarray(at, at + this.#left);
      this.#left -= octets.length;
      at += octets.length;
      yield { stream: this.#head[0] ?? STREAM.stdout, octets };
    }
  }
}
