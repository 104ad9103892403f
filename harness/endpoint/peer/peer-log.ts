/** What a scripted peer has sent and received. The wire's trace has it, too: this is for the script and its messages. */
import { durationText, NANOS_PER_MS, type Nanos } from '../../clock/index.js';
import { describeSegment, type Segment } from '../../segment/index.js';

export interface PeerRecord {
  readonly direction: 'sent' | 'received';
  readonly atNs: Nanos;
  readonly segment: Segment;
  /** Received with a wrong checksum, and therefore never shown to the script. */
  readonly isCorrupt?: true;
}

export interface Relative {
  readonly relSeq: number | undefined;
  readonly relAck: number | undefined;
}

const HISTORY = 8;

export class PeerLog {
  readonly #records: PeerRecord[] = [];
  /** Sent, or taken by the script: its own order, which is not that of the arrivals. */
  readonly #story: { readonly atNs: Nanos; readonly text: string }[] = [];

  get records(): readonly PeerRecord[] {
    return this.#records;
  }

  /** When the last segment was sent, or arrived that the script has taken. */
  get lastNs(): Nanos | undefined {
    return this.#story.at(-1)?.atNs;
  }

  sent(atNs: Nanos, segment: Segment, relative: Relative): void {
    this.#records.push({ direction: 'sent', atNs, segment });
    this.#tell(atNs, `> ${describeSegment(segment, relative)}`);
  }

  received(atNs: Nanos, segment: Segment, isSound: boolean): void {
    const record = { direction: 'received', atNs, segment } as const;
    this.#records.push(isSound ? record : { ...record, isCorrupt: true });
  }

  /** The script has taken a segment. */
  taken(atNs: Nanos, segment: Segment, relative: Relative): void {
    this.#tell(atNs, `< ${describeSegment(segment, relative)}`);
  }

  /** The latest of what the script has sent (`>`) and taken (`<`), oldest first. */
  history(): string[] {
    return this.#story.map(({ text }) => text);
  }

  #tell(atNs: Nanos, text: string): void {
    this.#story.push({ atNs, text: `${durationText(atNs / NANOS_PER_MS).padStart(10)} ${text}` });
    if (this.#story.length > HISTORY) this.#story.shift();
  }
}
