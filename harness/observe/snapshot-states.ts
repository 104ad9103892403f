/** States from looks alone: the transitions of one sighted life. What lies between two looks is bounded or inferred. */
import type { TcpState } from '../endpoint/index.js';
import { inferredPath } from './inferred-path.js';
import type { SightedLife, Sighting } from './sighting.js';
import type { Certainty, TransitionRecord } from './transition.js';

export function transitionsFromSightings(life: SightedLife): TransitionRecord[] {
  const transitions: TransitionRecord[] = [];
  let from = openedFrom(life);
  for (const sighting of life.sightings) {
    if (sighting.state === from) continue;
    const path = pathTo(from, sighting);
    for (const [i, to] of path.entries()) {
      transitions.push(transition(life, sighting, from, to, i === path.length - 1 ? 'bounded' : 'inferred'));
      from = to;
    }
  }
  if (life.end !== undefined) transitions.push(ending(life, life.end, from));
  return transitions;
}

function openedFrom({ isPassive, remote }: SightedLife): TcpState {
  return isPassive && remote.port !== 0 ? 'LISTEN' : 'CLOSED';
}

/** A full socket in SYN-RECEIVED (simultaneous open) goes straight to FIN-WAIT-1 when it is closed: RFC 9293 section 3.10.4. */
function pathTo(from: TcpState, { state, holder }: Sighting): readonly TcpState[] {
  if (from === 'SYN-RECEIVED' && state === 'FIN-WAIT-1' && holder === 'full') return [state];
  return inferredPath(from, state);
}

/**
 * A socket that is gone is CLOSED; where the kernel told that it freed it, or the socket says so itself, that is seen. A passive opening that fails goes back to LISTEN (RFC 9293 section 3.10.7.4, RST in
 * SYN-RECEIVED): its request is gone, and the listener still there.
 */
export function ending(life: SightedLife, end: Sighting, from: TcpState): TransitionRecord {
  const isRequest = life.sightings.at(-1)?.holder === 'request';
  const to = isRequest && end.isListened ? 'LISTEN' : 'CLOSED';
  return transition(life, end, from, to, end.eye === 'sock_diag' ? 'inferred' : 'bounded');
}

export function transition(
  { side, local, remote }: SightedLife,
  { atNs, notBeforeNs, eye }: Sighting,
  from: TcpState,
  to: TcpState,
  certainty: Certainty,
): TransitionRecord {
  return { kind: 'transition', atNs, notBeforeNs, side, local, remote, from, to, eye, certainty };
}
