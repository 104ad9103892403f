/**
 * Joins what the tracepoints saw with what the looks saw into the RFC's eleven states. Pure.
 *
 * Tracepoints see each change of a full socket at its instant. They do not see request sockets (SYN-RECEIVED until the
 * third segment) nor mini sockets (TIME-WAIT, and FIN-WAIT-2 of orphans), where a full socket ends as CLOSED
 * (tcp_time_wait in net/ipv4/tcp_minisocks.c): there the looks speak. Without events, the looks speak throughout.
 */
import type { Nanos } from '../clock/index.js';
import { livesOf, pairKey, type SightedLife, type Sighting } from './sighting.js';
import { ending, transition, transitionsFromSightings } from './snapshot-states.js';
import { chainsOf, closeOf, type StateChain, type StateChange, startOf } from './state-chain.js';
import type { TracepointEvent } from './tracepoint-event.js';
import type { Certainty, NoteRecord, TransitionRecord } from './transition.js';

/**
 * What the kernel does in one step, it does within this. When a look this soon after the end of an orphan in FIN-WAIT-2
 * finds TIME-WAIT, that is taken to have begun at the end.
 */
const SAME_STEP_NS = 1_000_000;

export interface Observations {
  readonly sightings: readonly Sighting[];
  /** Absent: there were no tracepoints. */
  readonly events?: readonly TracepointEvent[];
}

export function joinStates({ sightings, events = [] }: Observations): {
  readonly transitions: readonly TransitionRecord[];
  readonly notes: readonly NoteRecord[];
} {
  const inOrder = [...events].sort((a, b) => a.atNs - b.atNs);
  const lives = livesOf(sightings);
  const unclaimed = new Set(lives);
  const transitions = chainsOf(inOrder).flatMap((chain) => {
    const life = lifeOf(chain, unclaimed);
    if (life !== undefined) unclaimed.delete(life);
    return joinOne(life === undefined ? chain : { ...chain, local: life.local }, life);
  });
  for (const life of unclaimed) transitions.push(...transitionsFromSightings(life));
  return { transitions: transitions.sort((a, b) => a.atNs - b.atNs), notes: inOrder.flatMap(noteOf) };
}

/** The life of the same pair that shares most of the chain's time. A chain that never learnt its port fits any. */
function lifeOf(chain: StateChain, lives: ReadonlySet<SightedLife>): SightedLife | undefined {
  let best: { life: SightedLife; sharedNs: number } | undefined;
  for (const life of lives) {
    const local = chain.local.port === 0 ? life.local : chain.local;
    if (pairKey(chain.side, { ...chain, local }) !== pairKey(life.side, life)) continue;
    const sharedNs = sharedTime(chain, life);
    if (sharedNs >= 0 && (best === undefined || sharedNs > best.sharedNs)) best = { life, sharedNs };
  }
  return best?.life;
}

function sharedTime(chain: StateChain, life: SightedLife): Nanos {
  const begunNs = life.sightings[0]?.notBeforeNs ?? 0;
  const endedNs = life.end?.atNs ?? Number.POSITIVE_INFINITY;
  const closedNs = closeOf(chain)?.atNs ?? Number.MAX_SAFE_INTEGER;
  return Math.min(endedNs, closedNs) - Math.max(begunNs, startOf(chain));
}

function joinOne(chain: StateChain, life: SightedLife | undefined): TransitionRecord[] {
  const close = closeOf(chain);
  return [
    ...chain.changes.flatMap((change) => (change === close ? [] : fullSocketStep(chain, life, change))),
    ...(close === undefined ? [] : closing(chain, life, close)),
  ];
}

function exact(chain: StateChain, change: StateChange, certainty: Certainty = 'exact'): TransitionRecord {
  const { side, local, remote } = chain;
  return { kind: 'transition', ...change, side, local, remote, eye: 'tracepoint', certainty };
}

/**
 * A passive opening appears to the tracepoints with the third segment only, as SYN-RECEIVED and ESTABLISHED at once. The
 * look that found its request tells when SYN-RECEIVED began; without one, that it was passed is inferred.
 */
function fullSocketStep(
  chain: StateChain,
  life: SightedLife | undefined,
  change: StateChange,
): TransitionRecord[] {
  if (change.from !== 'LISTEN') return [exact(chain, change)];
  const request = life?.sightings.find(({ holder }) => holder === 'request');
  if (life === undefined || request === undefined) return [exact(chain, change, 'inferred')];
  const seen = transition(life, request, 'LISTEN', 'SYN-RECEIVED', 'bounded');
  // A look may end just after what came next; what it saw was before.
  return [{ ...seen, atNs: Math.min(seen.atNs, change.atNs) }];
}

/** The end of the full socket, and of the mini socket that took over, if one did. */
function closing(chain: StateChain, life: SightedLife | undefined, close: StateChange): TransitionRecord[] {
  const minis = life?.sightings.filter(({ holder }) => holder === 'mini') ?? [];
  const [first] = minis;
  if (life === undefined || first === undefined)
    return [exact(chain, close, life === undefined && mayWait(close) ? 'inferred' : 'exact')];
  const transitions: TransitionRecord[] = [];
  let state = close.from;
  for (const mini of minis) {
    if (mini.state === state) continue;
    transitions.push(
      mini === first && beganAtClose(chain, close, mini)
        ? exact(chain, { ...close, to: mini.state })
        : {
            ...transition(life, mini, state, mini.state, 'bounded'),
            notBeforeNs: Math.max(mini.notBeforeNs, close.atNs),
          },
    );
    state = mini.state;
  }
  if (life.end !== undefined) transitions.push(ending(life, life.end, state));
  return transitions;
}

/** Nobody looked: these two end as TIME-WAIT as a rule, and it cannot be told. */
const mayWait = ({ from }: StateChange): boolean => from === 'FIN-WAIT-2' || from === 'CLOSING';

/**
 * Whether the first state that a mini socket was seen in is the one that it began in. It is TIME-WAIT after CLOSING; and
 * after FIN-WAIT-2 unless the socket was an orphan, which the kernel destroys in the same step (tcp_done in net/ipv4/tcp.c).
 */
function beganAtClose(
  { destroyedNs = Number.POSITIVE_INFINITY }: StateChain,
  close: StateChange,
  mini: Sighting,
) {
  const wasOrphan = destroyedNs - close.atNs <= SAME_STEP_NS;
  return close.from === 'CLOSING' || !wasOrphan || mini.atNs - close.atNs <= SAME_STEP_NS;
}

/** What the other tracepoints say explains segments and transitions. */
export function noteOf({ name, atNs, side, local, remote, detail, change }: TracepointEvent): NoteRecord[] {
  if (change !== undefined) return [];
  return [{ kind: 'note', atNs, side, local, remote, what: name, detail, eye: 'tracepoint' }];
}
