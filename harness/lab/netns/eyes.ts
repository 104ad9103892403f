/** Which eyes watch a lab, and what they saw joined into the RFC's states. */
import {
  type Eye,
  joinStates,
  measureTracepointAlignment,
  type NoteRecord,
  type SideOf,
  type Sighting,
  SOCK_DIAG_ALIGNMENT,
  TracepointSession,
  type TracepointTap,
  type TransitionRecord,
} from '../../observe/index.js';
import type { LabOptions } from '../lab.js';

export interface EyesOptions {
  readonly wanted: NonNullable<LabOptions['eyes']>;
  readonly epochNs: bigint;
  readonly sideOf: SideOf;
}

export interface Seen {
  readonly transitions: readonly TransitionRecord[];
  readonly notes: readonly NoteRecord[];
}

let measuredErrorNs: number | undefined;
/** Tracing was tried and refused: it is not tried again for each lab. */
let refusedTracing = false;

export class Eyes implements Disposable {
  /** Whether the wire's thread looks at the sockets when segments come and go. */
  readonly looks: boolean;
  readonly #tap: TracepointTap | undefined;
  readonly #sightings: Sighting[] = [];
  readonly #notes: NoteRecord[] = [];

  /** Opens them. Throws when tracepoints are demanded and cannot be had. */
  constructor({ wanted, epochNs, sideOf }: EyesOptions) {
    this.looks = wanted !== 'none';
    if (wanted === 'tracepoint') this.#tap = TracepointSession.shared().tap({ epochNs, sideOf });
    else if (wanted === 'auto') this.#tap = tapIfPermitted({ epochNs, sideOf });
  }

  get names(): readonly Eye[] {
    const looks: readonly Eye[] = this.looks ? ['sock_diag', 'destroy'] : [];
    return this.#tap === undefined ? looks : ['tracepoint', ...looks];
  }

  get hasTracepoints(): boolean {
    return this.#tap !== undefined;
  }

  /** How far stamps of transitions may be from the lab's clock. */
  get errorNs(): number {
    if (this.#tap === undefined) return SOCK_DIAG_ALIGNMENT.errorNs;
    measuredErrorNs ??= measureTracepointAlignment(TracepointSession.shared()).errorNs;
    return measuredErrorNs;
  }

  /** Takes what the wire's thread saw. */
  take(record: Sighting | NoteRecord): void {
    if (record.kind === 'sighting') this.#sightings.push(record);
    else this.#notes.push(record);
  }

  /** All so far. */
  seen(): Seen {
    const events = this.#tap?.flush();
    const joined = joinStates({ sightings: this.#sightings, ...(events === undefined ? {} : { events }) });
    const notes = [...joined.notes, ...this.#notes].sort((a, b) => a.atNs - b.atNs);
    return { transitions: joined.transitions, notes };
  }

  [Symbol.dispose](): void {
    this.#tap?.[Symbol.dispose]();
  }
}

function tapIfPermitted(options: { epochNs: bigint; sideOf: SideOf }): TracepointTap | undefined {
  if (refusedTracing) return undefined;
  try {
    return TracepointSession.shared().tap(options);
  } catch {
    // Not permitted, or not there: sock_diag alone does. `doctor` says why.
    refusedTracing = true;
    return undefined;
  }
}
