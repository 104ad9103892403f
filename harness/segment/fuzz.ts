/**
 * Feeds the codec with random octets and with damaged packets. Whatever comes in, `decode` must answer with a value,
 * and what it calls a segment must come back octet for octet. The same seed gives the same inputs.
 */
import { decode, encode } from './codec.js';
import { describeSegment } from './describe.js';
import { FUZZ_CORPUS } from './fuzz-corpus.js';
import { toHex } from './hex.js';
import { Random } from './random.js';
import type { Problem, Segment } from './segment.js';

/** How the inputs were taken: a fuzz that reaches only one of these has tested little. */
export interface FuzzReport {
  readonly inputs: number;
  readonly seed: number;
  readonly segments: number;
  /** Those of the segments whose options are malformed. */
  readonly badOptions: number;
  readonly others: number;
  readonly malformed: number;
}

/** Throws an error with the seed, the input's number and its octets at the first input that is not taken as it should be. */
export function fuzz({ inputs, seed }: { readonly inputs: number; readonly seed: number }): FuzzReport {
  const random = new Random(seed);
  const counts = { segments: 0, badOptions: 0, others: 0, malformed: 0 };
  for (let input = 0; input < inputs; input++) {
    const packet = random.below(8) === 0 ? randomPacket(random) : damagedPacket(random);
    try {
      const kind = probe(packet);
      counts[kind] += 1;
      if (kind === 'badOptions') counts.segments += 1;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`fuzz seed ${seed}, input ${input}: ${reason}; packet ${toHex(packet)}`, { cause });
    }
  }
  return { inputs, seed, ...counts };
}

/** Decodes one input and demands of the answer what is true of every answer. */
function probe(packet: Uint8Array): 'segments' | 'badOptions' | 'others' | 'malformed' {
  const decoded = decode(packet);
  if (decoded.kind === 'other') return 'others';
  if (decoded.kind === 'malformed') {
    demandPlace(decoded.problem, packet);
    return 'malformed';
  }
  const { segment } = decoded;
  demandRoundTrip(segment, packet);
  demand(describeSegment(segment).includes(' win='), () => 'its description lacks the window');
  if (segment.optionsProblem === undefined) return 'segments';
  demandPlace(segment.optionsProblem, packet);
  return 'badOptions';
}

function demandRoundTrip(segment: Segment, packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const stated = segment.ip.version === 4 ? view.getUint16(2) : 40 + view.getUint16(4);
  const kept = encode(segment, { checksums: 'keep' });
  demand(equal(kept, packet.subarray(0, stated)), () => `encoding it again gives ${toHex(kept)}`);
  const again = decode(encode(segment));
  demand(
    again.kind === 'segment' && again.checksumOk.ip && again.checksumOk.tcp,
    () => 'its computed checksums are wrong',
  );
}

function demandPlace({ at, what }: Problem, packet: Uint8Array): void {
  demand(what !== '' && at >= 0 && at <= packet.length, () => `its problem "${what}" is at ${at}`);
}

function demand(condition: boolean, otherwise: () => string): void {
  if (!condition) throw new Error(otherwise());
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Random octets, most of them with the version of an IP packet so that they get past the first test. */
function randomPacket(random: Random): Uint8Array {
  const packet = new Uint8Array(random.below(120));
  for (let i = 0; i < packet.length; i++) packet[i] = random.octet();
  if (packet.length > 0) packet[0] = random.pick([0x45, 0x46, 0x60, packet[0] ?? 0]);
  return packet;
}

const TELLING_OCTETS = [0, 1, 2, 3, 4, 5, 6, 8, 10, 19, 34, 0x45, 0x50, 0x7f, 0x80, 0xf0, 0xff] as const;

/** A sound packet with up to four octets changed, perhaps cut or extended, perhaps with its lengths repaired. */
function damagedPacket(random: Random): Uint8Array {
  const sound = random.pick(FUZZ_CORPUS);
  const size = random.below(4) === 0 ? random.below(sound.length + 24) : sound.length;
  const packet = new Uint8Array(size);
  packet.set(sound.subarray(0, size));
  if (size === 0) return packet;
  for (let changes = random.below(5); changes > 0; changes--) {
    packet[random.below(size)] = random.below(2) === 0 ? random.octet() : random.pick(TELLING_OCTETS);
  }
  if (size >= 40 && random.below(2) === 0) repairLength(packet);
  return packet;
}

function repairLength(packet: Uint8Array): void {
  const view = new DataView(packet.buffer);
  if (view.getUint8(0) >> 4 === 4) view.setUint16(2, packet.length);
  else view.setUint16(4, packet.length - 40);
}
