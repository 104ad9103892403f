/** A wire on the table: time stands still until it is told to go on, and what reaches a side lies there to be read. */
import { type Clock, type Nanos, type Timer, TimerQueue } from '../clock/index.js';
import type { Fault, Side } from '../fault/index.js';
import { decode, encode, flagsText, makeSegment, type Segment, type SegmentInit } from '../segment/index.js';
import { RecordBook } from './recorder.js';
import { type Look, Wire } from './wire.js';

class HandClock implements Clock {
  readonly #timers = new TimerQueue();
  #now: Nanos = 0;

  now(): Nanos {
    return this.#now;
  }

  at(atNs: Nanos, action: () => void): Timer {
    return this.#timers.at(atNs, action);
  }

  goTo(atNs: Nanos): void {
    for (let next = this.#timers.nextNs(); next !== undefined && next <= atNs; next = this.#timers.nextNs()) {
      this.#now = Math.max(this.#now, next);
      this.#timers.runDue(this.#now);
    }
    this.#now = atNs;
  }
}

export class TableTop {
  readonly clock = new HandClock();
  readonly book = new RecordBook();
  /** Packets as they were handed to each side. */
  readonly got: Record<Side, Uint8Array[]> = { client: [], server: [] };
  /** Packets of which nothing is under way any more. */
  readonly lost: Uint8Array[] = [];
  readonly wire: Wire;

  constructor(
    options: { readonly faults?: readonly Fault[]; readonly look?: Look; readonly latencyNs?: number } = {},
  ) {
    this.wire = new Wire({
      clock: this.clock,
      carriers: {
        client: { send: (packet) => this.got.client.push(packet) },
        server: { send: (packet) => this.got.server.push(packet) },
      },
      recorder: this.book,
      lost: (packet) => this.lost.push(packet),
      ...options,
    });
  }

  /** The client, and the server, say a segment. */
  readonly c = (flags: string, init: SegmentInit = {}): Uint8Array => this.#say('client', flags, init);
  readonly s = (flags: string, init: SegmentInit = {}): Uint8Array => this.#say('server', flags, init);

  #say(from: Side, flags: string, init: SegmentInit): Uint8Array {
    const packet = packetFrom(from, flags, init);
    this.wire.arrive(from, packet, this.clock.now());
    return packet;
  }

  /** The third segment of a handshake is the last of these. The client's ISS is 100, the server's 500. */
  handshake(): void {
    this.c('SYN', { seq: 100 });
    this.s('SYN,ACK', { seq: 500, ack: 101 });
    this.c('ACK', { seq: 101, ack: 501 });
  }

  /** What reached a side, as flags. */
  flagsAt(side: Side): string[] {
    return this.got[side].map((packet) => flagsText(segmentOf(packet).flags));
  }
}

export function packetFrom(from: Side, flags: string, init: SegmentInit = {}): Uint8Array {
  const ends =
    from === 'client'
      ? { src: '192.0.2.1', dst: '192.0.2.2', srcPort: 40000, dstPort: 80 }
      : { src: '192.0.2.2', dst: '192.0.2.1', srcPort: 80, dstPort: 40000 };
  return encode(makeSegment({ ...ends, flags, ...init }));
}

export function segmentOf(packet: Uint8Array): Segment {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error(`not a segment: ${decoded.kind}`);
  return decoded.segment;
}
