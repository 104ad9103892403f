/** Applies a plan of faults to the segments of one wire, and keeps the receipts. */

import { NANOS_PER_MS } from '../clock/index.js';
import { encode, flagsText } from '../segment/index.js';
import { messageOf } from '../text/index.js';
import { Draft, type Outcome } from './draft.js';
import type { Effect, FaultMark, Receipt } from './effect.js';
import type { Fault } from './fault.js';
import { type Arrival, type FlowFacts, otherSide } from './flow.js';
import { forged } from './forge.js';
import type { MatcherOptions } from './matcher.js';
import { Rule } from './rule.js';

/** What becomes of a segment. */
export interface Ruling {
  /** In the order in which the wire is to carry them out. */
  readonly effects: readonly Effect[];
  readonly marks: readonly FaultMark[];
}

const NO_MARKS: readonly FaultMark[] = [];

/**
 * Every fault sees every segment as it came onto the wire, so that ordinals do not depend on other faults. Those that
 * match act in the order of the plan: changes build on each other, delays add up, the first that keeps the segment
 * back does so alone. A drop undoes all of that: nothing but the drop acts, save that `inject` and `replay` still send theirs.
 */
export class FaultEngine {
  readonly #options: MatcherOptions;
  #rules: Rule[] = [];
  readonly #removed: Rule[] = [];

  constructor(faults: readonly Fault[] = [], options: MatcherOptions = {}) {
    this.#options = options;
    this.add(...faults);
  }

  /** Adds faults behind those already in the plan. Throws when an id is taken. */
  add(...faults: readonly Fault[]): void {
    const rules = [...this.#rules];
    for (const fault of faults) {
      if ([...rules, ...this.#removed].some((rule) => rule.id === fault.id)) {
        throw new Error(`two faults are called "${fault.id}": give one of them an id of its own`);
      }
      rules.push(new Rule(fault, this.#options));
    }
    this.#rules = rules;
  }

  /** Takes faults out by id; their receipts stay. What they hold is released. */
  remove(...ids: readonly string[]): Effect[] {
    const gone = ids.map((id) => this.#rule(id));
    this.#rules = this.#rules.filter((rule) => !gone.includes(rule));
    this.#removed.push(...gone);
    return gone.flatMap((rule) => rule.letGo());
  }

  /** Lets go what a fault holds, in order; it holds nothing more. */
  release(id: string): Effect[] {
    return this.#rule(id).letGo();
  }

  arrive(arrival: Arrival, facts: FlowFacts): Ruling {
    if (this.#rules.length === 0) return passed(arrival);
    const acting: Rule[] = [];
    const ended: Rule[] = [];
    for (const rule of this.#rules) {
      const { acts, ends } = rule.meet(arrival, facts);
      if (acts) acting.push(rule);
      if (ends) ended.push(rule);
    }
    const ruling = acting.length === 0 ? passed(arrival) : rule(new Draft(arrival, facts), acting);
    const goesBy = ruling.effects.some(({ kind }) => kind === 'deliver');
    const overtaken = goesBy ? this.#rules.flatMap((each) => each.passed(facts)) : [];
    // What waits for this segment comes behind it, so that it is overtaken indeed.
    const released = ended.flatMap((each) => each.letGo());
    if (overtaken.length === 0 && released.length === 0) return ruling;
    return { ...ruling, effects: [...ruling.effects, ...overtaken, ...released] };
  }

  /** Of each fault that is or was in the plan; those taken out come last. */
  receipts(): Receipt[] {
    return [...this.#rules, ...this.#removed].map((rule) => rule.receipt());
  }

  #rule(id: string): Rule {
    const found = this.#rules.find((rule) => rule.id === id);
    if (found !== undefined) return found;
    const known = this.#rules.map((rule) => `"${rule.id}"`).join(', ');
    throw new Error(`no fault is called "${id}": the plan has ${known || 'none'}`);
  }
}

function passed({ id, from, packet }: Arrival): Ruling {
  return {
    effects: [{ kind: 'deliver', arrival: id, to: otherSide(from), packet, delayNs: 0 }],
    marks: NO_MARKS,
  };
}

/** What the faults that act on a segment make of it. */
function rule(draft: Draft, acting: readonly Rule[]): Ruling {
  const marks: FaultMark[] = [];
  const sent: Effect[] = [];
  const note = (by: Rule, outcome: Outcome) => {
    const isDone = 'did' in outcome;
    marks.push({ fault: by.id, what: isDone ? outcome.did : outcome.failed });
    if (isDone) by.acted(draft.arrival);
  };
  const dropper = acting.find((each) => each.fault.action.kind === 'drop');
  let holder: Rule | undefined;
  let shaper: Rule | undefined;
  for (const each of acting) {
    const { action } = each.fault;
    if (action.kind === 'inject' || action.kind === 'replay') note(each, send(each, draft, sent));
    else if (dropper !== undefined) {
      if (each === dropper) note(each, { did: 'dropped' });
    } else if (action.kind === 'hold' || action.kind === 'reorder') {
      if (holder === undefined) note(each, { did: heldText(each) });
      holder ??= each;
    } else if (action.kind !== 'drop') {
      const outcome = draft.apply(action);
      if ('did' in outcome) shaper = each;
      note(each, outcome);
    }
  }
  return { effects: [...settle(draft, { dropper, holder, shaper }), ...sent], marks };
}

interface Fate {
  readonly dropper: Rule | undefined;
  readonly holder: Rule | undefined;
  readonly shaper: Rule | undefined;
}

function settle(draft: Draft, { dropper, holder, shaper }: Fate): Effect[] {
  const arrival = draft.arrival.id;
  if (dropper !== undefined) return [{ kind: 'drop', arrival, fault: dropper.id }];
  const deliveries = draft.effects((holder ?? shaper)?.id);
  if (holder === undefined) return deliveries;
  const { action } = holder.fault;
  holder.keep(deliveries, draft.facts, action.kind === 'reorder' ? action.after : undefined);
  return [{ kind: 'hold', arrival, fault: holder.id }];
}

function heldText({ fault: { action } }: Rule): string {
  if (action.kind !== 'reorder') return 'held';
  return `held until ${action.after} ${action.after === 1 ? 'other has' : 'others have'} gone by`;
}

/** Adds the packet of an `inject` or `replay` to those that are sent behind the segment. */
function send(rule: Rule, { arrival, facts }: Draft, sent: Effect[]): Outcome {
  const { action, id } = rule.fault;
  if (action.kind !== 'inject' && action.kind !== 'replay') return { failed: 'nothing to send' };
  const delayNs = (action.afterMs ?? 0) * NANOS_PER_MS;
  if (action.kind === 'replay') {
    const { source } = rule;
    if (source === undefined) return { failed: 'nothing replayed: no earlier segment is what it asks for' };
    sent.push({ kind: 'inject', to: otherSide(source.from), packet: source.packet, delayNs, fault: id });
    return { did: `followed by #${source.id} once more` };
  }
  const sender = action.sender ?? arrival.from;
  try {
    const segment = forged(action.segment, sender, { arrival, facts });
    sent.push({ kind: 'inject', to: otherSide(sender), packet: encode(segment), delayNs, fault: id });
    return { did: `followed by an injected ${flagsText(segment.flags)} from the ${sender}` };
  } catch (error) {
    return { failed: `nothing injected: ${messageOf(error)}` };
  }
}
