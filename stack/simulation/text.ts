/** The octets that programs send: each place in a stream has its own, so that any piece of it can be judged alone. */

/** A prime, so that a shift by a power of two, or by a segment, shows. */
const PERIOD = 65_521;
const MOST_AT_ONCE = 1 << 20;

const OCTETS = Buffer.alloc(PERIOD + MOST_AT_ONCE);
for (let i = 0; i < OCTETS.length; i += 1) {
  const place = i % PERIOD;
  OCTETS[i] = (place * 167 + (place >> 8) * 13) & 0xff;
}

/** `length` octets at `at` of the stream with this number. */
export function text(stream: number, at: number, length: number): Uint8Array {
  const from = (at + stream * 1009) % PERIOD;
  return OCTETS.subarray(from, from + Math.min(length, MOST_AT_ONCE));
}

export const isText = (stream: number, at: number, octets: Uint8Array): boolean =>
  Buffer.compare(octets, text(stream, at, octets.length)) === 0;
