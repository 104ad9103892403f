/**
 * The states of connections from a kernel of our own building, whose tracepoints show request and mini sockets too: every transition
 * at its instant, with nothing to be looked for or inferred. Pure. For other kernels see `join-states.ts`.
 */

import { noteOf } from './join-states.js';
import { pairKey } from './sighting.js';
import { chainsOf } from './state-chain.js';
import type { TracepointEvent } from './tracepoint-event.js';
import type { NoteRecord, TransitionRecord } from './transition.js';

/** Ours: the changes of request sockets (SYN-RECEIVED) and time-wait sockets (TIME-WAIT, and FIN-WAIT-2 of orphans). */
export const MINI_SOCK_TRACEPOINT = 'inet_mini_sock_set_state';

interface Step extends Omit<TransitionRecord, 'kind' | 'eye' | 'certainty'> {
  readonly isMini: boolean;
  /** Place among all events. */
  readonly order: number;
}

/** `events` in the order in which the kernel recorded them. */
export function exactStates(events: readonly TracepointEvent[]): {
  readonly transitions: readonly TransitionRecord[];
  readonly notes: readonly NoteRecord[];
} {
  const steps = [...fullSteps(events), ...miniSteps(events)].sort((a, b) => a.order - b.order);
  const requested = new Set<string>();
  const handedOver = new Set<string>();
  const transitions = steps.flatMap((step) => {
    const pair = pairKey(step.side, step);
    if (step.isMini) {
      if (step.from === 'LISTEN') requested.add(pair);
      // A time-wait socket begins where the full one was, which then ends as CLOSED.
      else if (step.from !== 'SYN-RECEIVED' && step.from !== 'TIME-WAIT') handedOver.add(pair);
      if (step.to === 'CLOSED') handedOver.delete(pair);
      return step.from === step.to ? [] : [transitionOf(step)];
    }
    // The full socket of a passive opening takes over from its request.
    if (step.from === 'LISTEN' && requested.delete(pair)) return [];
    if (step.to === 'CLOSED' && handedOver.delete(pair)) return [];
    return [transitionOf(step)];
  });
  return { transitions, notes: events.flatMap((event) => (isState(event) ? [] : noteOf(event))) };
}

const isState = ({ change }: TracepointEvent): boolean => change !== undefined;

/** Of full sockets, by their chains: the first event of an active opening bears no local port. */
function fullSteps(events: readonly TracepointEvent[]): Step[] {
  const order = new Map(events.map((event, i) => [event, i] as const));
  const full = events.filter(({ name }) => name !== MINI_SOCK_TRACEPOINT);
  return chainsOf(full).flatMap(({ side, local, remote, events: own }) =>
    own.flatMap((event) =>
      event.change === undefined
        ? []
        : [
            {
              ...event.change,
              atNs: event.atNs,
              side,
              local,
              remote,
              isMini: false,
              order: order.get(event) ?? 0,
            },
          ],
    ),
  );
}

const miniSteps = (events: readonly TracepointEvent[]): Step[] =>
  events.flatMap(({ name, change, atNs, side, local, remote }, order) =>
    name === MINI_SOCK_TRACEPOINT && change !== undefined
      ? [{ ...change, atNs, side, local, remote, isMini: true, order }]
      : [],
  );

const transitionOf = ({ atNs, side, local, remote, from, to }: Step): TransitionRecord => ({
  kind: 'transition',
  atNs,
  side,
  local,
  remote,
  from,
  to,
  eye: 'tracepoint',
  certainty: 'exact',
});
