/** The states of a stack that tells each change itself, at its instant: nothing to look for, nothing to infer. */
import { NANOS_PER_MS } from '../clock/index.js';
import type { StateChange } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { NoteRecord, TransitionRecord } from './transition.js';

export class ReportedStates {
  readonly transitions: TransitionRecord[] = [];
  /** Of TIME-WAIT, each time that its timer was started: a change of state does not tell that it was started anew. */
  readonly notes: NoteRecord[] = [];
  readonly #side: Side;
  #changed: () => void = () => {};

  constructor(side: Side) {
    this.#side = side;
  }

  /** Has somebody told of each change, at its instant. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  readonly take = ({ atNs, local, remote, from, to, remainsNs }: StateChange): void => {
    const common = { atNs, side: this.#side, local, remote, eye: 'report' } as const;
    if (from !== to) this.transitions.push({ kind: 'transition', ...common, from, to, certainty: 'exact' });
    this.#changed();
    if (remainsNs === undefined) return;
    const detail = {
      timer: 'time-wait',
      remainsMs: remainsNs / NANOS_PER_MS,
      retransmits: 0,
      state: to,
    };
    this.notes.push({ kind: 'note', ...common, what: 'timer', detail });
  };
}
