/**
 * One virtual clock for any number of participants, each of which keeps a clock of its own that only we move, and for timers
 * of the harness. Nothing waits: time goes to the next event of anyone, and stands still while anybody computes.
 *
 * A participant runs alone up to the next event of anyone else, and never beyond the moment at which it affects another: it is
 * never ahead of what can still reach it.
 */
import type { Clock, Nanos, Timer } from './clock.js';
import { TimerQueue } from './timer-queue.js';

export interface Participant {
  readonly name: string;
  /** When it has something to do by itself; Infinity: never. */
  readonly nextNs: Nanos;
  /** Something was put before it that it has not seen: it must run now. */
  readonly hasInput: boolean;
  /**
   * Lets it run from `nowNs` and alone up to `aloneUntilNs`; returns when it waits. Until then it calls `Timeline.reached` at each
   * moment at which it affects others, and goes no further in this run. Returns the time that it may have come to.
   */
  run(nowNs: Nanos, aloneUntilNs: Nanos): Nanos;
}

/** The longest that a participant runs alone where nobody else has an event: about ten minutes. */
export const LONGEST_RUN_NS = 600_000_000_000;

export class Timeline implements Clock {
  readonly #timers = new TimerQueue();
  readonly #participants: Participant[] = [];
  #nowNs: Nanos = 0;
  #mayReachNs: Nanos = 0;
  #wake: () => void = () => {};

  now(): Nanos {
    return this.#nowNs;
  }

  at(atNs: Nanos, action: () => void): Timer {
    const timer = this.#timers.at(Math.max(atNs, this.#nowNs), action);
    this.#wake();
    return timer;
  }

  /** The harness waits for a time to come. */
  get isAwaited(): boolean {
    return this.#timers.nextNs() !== undefined;
  }

  /** Called when there is something to do that was not there before. */
  onWork(wake: () => void): void {
    this.#wake = wake;
  }

  /** A participant was given input. */
  work(): void {
    this.#wake();
  }

  add(participant: Participant): void {
    this.#participants.push(participant);
  }

  remove(participant: Participant): void {
    const at = this.#participants.indexOf(participant);
    if (at >= 0) this.#participants.splice(at, 1);
  }

  /** The participant that runs is at `atNs` and is about to affect others. Throws when it is where it may not be. */
  reached(atNs: Nanos): void {
    if (atNs < this.#nowNs || atNs > this.#mayReachNs)
      throw new RangeError(
        `virtual time is ${this.#nowNs} ns, nobody may be beyond ${this.#mayReachNs} ns, and a participant says ${atNs} ns`,
      );
    this.#nowNs = atNs;
  }

  /** When the next thing happens; Infinity: never. */
  nextNs(): Nanos {
    let nextNs = this.#timers.nextNs() ?? Number.POSITIVE_INFINITY;
    for (const participant of this.#participants) nextNs = Math.min(nextNs, this.#dueNs(participant));
    return nextNs;
  }

  /** Does the next thing: the harness's timers of an instant before the participants. False: there is none. */
  step(): boolean {
    const timerNs = this.#timers.nextNs() ?? Number.POSITIVE_INFINITY;
    let first: Participant | undefined;
    let firstNs = Number.POSITIVE_INFINITY;
    let secondNs = timerNs;
    for (const participant of this.#participants) {
      const dueNs = this.#dueNs(participant);
      if (dueNs < firstNs) {
        secondNs = Math.min(secondNs, firstNs);
        first = participant;
        firstNs = dueNs;
      } else secondNs = Math.min(secondNs, dueNs);
    }
    if (timerNs <= firstNs) {
      if (timerNs === Number.POSITIVE_INFINITY) return false;
      this.#nowNs = timerNs;
      this.#timers.runDue(timerNs);
      return true;
    }
    if (first === undefined) return false;
    this.#run(first, firstNs, secondNs);
    return true;
  }

  #run(participant: Participant, fromNs: Nanos, othersNs: Nanos): void {
    this.#nowNs = fromNs;
    this.#mayReachNs = Math.max(fromNs, Math.min(othersNs, fromNs + LONGEST_RUN_NS));
    const cameToNs = participant.run(fromNs, this.#mayReachNs);
    this.reached(cameToNs);
  }

  #dueNs(participant: Participant): Nanos {
    return participant.hasInput ? this.#nowNs : Math.max(participant.nextNs, this.#nowNs);
  }
}
