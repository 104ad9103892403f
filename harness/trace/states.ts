/**
 * Questions to a trace about the states of its connections. A socket in LISTEN is no connection: it has no remote end,
 * and what it does is left out.
 */
import type { Nanos } from '../clock/index.js';
import { NANOS_PER_MS } from '../clock/index.js';
import type { Address, TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Certainty, TransitionRecord } from '../observe/index.js';
import { groupedBy } from './grouped.js';
import { oncePerTrace } from './once.js';
import { deliveredAtNs, type Instant, nanosOf, segmentsOf, type TcpEvent } from './query.js';
import type { Trace } from './trace.js';

/** Which connection of a side; without it the first one. */
export interface ConnectionPick {
  /** The number of the flow on the wire, from 1. */
  readonly flow?: number;
  readonly localPort?: number;
  readonly remotePort?: number;
}

/** One connection as one side's observers saw it, from its opening until it is CLOSED. */
export interface ConnectionStates {
  readonly side: Side;
  readonly local: Address;
  readonly remote: Address;
  /** The flow it is on the wire; absent when it never sent nor was given a segment. */
  readonly flow?: number;
  readonly transitions: readonly TransitionRecord[];
}

/** All connections of a side, in the order of their first transition. A port pair used again is another connection. */
export const connectionsOf = (trace: Trace, side: Side): readonly ConnectionStates[] =>
  connections(trace)[side];

const connections = oncePerTrace((trace) => ({
  client: livesOf(trace, 'client'),
  server: livesOf(trace, 'server'),
}));

function livesOf(trace: Trace, side: Side): readonly ConnectionStates[] {
  const lives: TransitionRecord[][] = [];
  const current = new Map<string, TransitionRecord[]>();
  for (const event of trace.events) {
    if (event.kind !== 'transition' || event.side !== side || event.remote.port === 0) continue;
    const pair = `${event.local.port} ${event.remote.ip} ${event.remote.port}`;
    const life = current.get(pair);
    if (life === undefined || isOpening(event)) {
      const opened = [event];
      current.set(pair, opened);
      lives.push(opened);
    } else life.push(event);
  }
  return lives.flatMap((transitions) => {
    const [first] = transitions;
    if (first === undefined) return [];
    const flow = flowOf(trace, first);
    const { local, remote } = first;
    return [{ side, local, remote, ...(flow === undefined ? {} : { flow }), transitions }];
  });
}

/** RFC 9293 section 3.3.2: a connection begins where CLOSED or LISTEN is left. */
function isOpening({ from, to }: TransitionRecord): boolean {
  return (from === 'CLOSED' || from === 'LISTEN') && to !== 'CLOSED' && to !== 'LISTEN';
}

/** How far stamps of different sources may contradict cause and effect. */
const CONTRADICTION_NS = NANOS_PER_MS;

/**
 * The flow of the same ports that an opening belongs to, where they were used more than once. SYN-SENT at its instant comes
 * just before the side's SYN; everything else, and what is seen at a look, behind the first segment of its flow.
 */
function flowOf(trace: Trace, opening: TransitionRecord): number | undefined {
  const begun = new Map<number, Nanos>();
  const { side, local, remote } = opening;
  const ports = side === 'client' ? portsKey(local.port, remote.port) : portsKey(remote.port, local.port);
  for (const event of byPorts(trace).get(ports) ?? []) {
    const atNs = seenAtNs(event, side);
    const known = begun.get(event.facts.flow);
    if (atNs !== undefined && (known === undefined || atNs < known)) begun.set(event.facts.flow, atNs);
  }
  const flows = [...begun].sort(([, a], [, b]) => a - b);
  const isBefore = opening.to === 'SYN-SENT' && opening.certainty === 'exact';
  const fitting = isBefore
    ? flows.find(([, atNs]) => atNs >= opening.atNs - CONTRADICTION_NS)
    : flows.findLast(([, atNs]) => atNs <= opening.atNs + CONTRADICTION_NS);
  return (fitting ?? (isBefore ? flows.at(-1) : flows[0]))?.[0];
}

const portsKey = (client: number, server: number): string => `${client} ${server}`;

const byPorts = oncePerTrace((trace) =>
  groupedBy(segmentsOf(trace), ({ facts, segment: { srcPort, dstPort } }) =>
    facts.from === 'client' ? portsKey(srcPort, dstPort) : portsKey(dstPort, srcPort),
  ),
);

const seenAtNs = (event: TcpEvent, side: Side): Nanos | undefined =>
  event.facts.from === side ? event.atNs : deliveredAtNs(event);

/** The first connection of a side that fits. */
export function connectionOf(
  trace: Trace,
  side: Side,
  pick: ConnectionPick = {},
): ConnectionStates | undefined {
  return connectionsOf(trace, side).find(
    ({ flow, local, remote }) =>
      (pick.flow === undefined || flow === pick.flow) &&
      (pick.localPort === undefined || local.port === pick.localPort) &&
      (pick.remotePort === undefined || remote.port === pick.remotePort),
  );
}

/** The transitions of one connection of a side (the first, or the one picked), in order. */
export function transitionsOf(
  trace: Trace,
  side: Side,
  pick: ConnectionPick = {},
): readonly TransitionRecord[] {
  return connectionOf(trace, side, pick)?.transitions ?? [];
}

/**
 * The states that one connection of a side went through, in order: `['SYN-SENT', 'ESTABLISHED', …, 'CLOSED']`. The CLOSED
 * or LISTEN that it came from is left out. Where nobody saw how it got from one state to the next known one, both stand.
 */
export function statesOf(trace: Trace, side: Side, pick: ConnectionPick = {}): readonly TcpState[] {
  const states: TcpState[] = [];
  for (const transition of transitionsOf(trace, side, pick)) {
    const { from, to } = transition;
    const isGap = states.length > 0 ? states.at(-1) !== from : !isOpening(transition);
    if (isGap) states.push(from);
    states.push(to);
  }
  return states;
}

/** The state of one connection of a side at an instant; undefined when nobody watched it. */
export function stateAt(
  trace: Trace,
  side: Side,
  at: Instant,
  pick: ConnectionPick = {},
): TcpState | undefined {
  const transitions = transitionsOf(trace, side, pick);
  const last = transitions.findLast(({ atNs }) => atNs <= nanosOf(at));
  return last?.to ?? transitions[0]?.from;
}

/** A stay of a connection in one state. */
export interface Stay {
  readonly state: TcpState;
  readonly entered: TransitionRecord;
  /** Absent when it was still there at the end of the run. */
  readonly left?: TransitionRecord;
  /** From entering to leaving, as stamped. */
  readonly lastedMs?: number;
  /** The least and the most that it can have lasted, where a stamp is a bound (`notBeforeNs`). */
  readonly atLeastMs?: number;
  readonly atMostMs?: number;
  /** The weaker of both ends' certainties. */
  readonly certainty: Certainty;
}

/** Each stay of one connection of a side in `state`, with how long it lasted. */
export function staysOf(
  trace: Trace,
  side: Side,
  state: TcpState,
  pick: ConnectionPick = {},
): readonly Stay[] {
  const transitions = transitionsOf(trace, side, pick);
  return transitions.flatMap((entered, i) => {
    if (entered.to !== state) return [];
    const left = transitions[i + 1];
    return [left === undefined ? { state, entered, certainty: entered.certainty } : stay(entered, left)];
  });
}

function stay(entered: TransitionRecord, left: TransitionRecord): Stay {
  const ms = (from: Nanos, to: Nanos) => (to - from) / NANOS_PER_MS;
  return {
    state: entered.to,
    entered,
    left,
    lastedMs: ms(entered.atNs, left.atNs),
    atLeastMs: Math.max(0, ms(entered.atNs, left.notBeforeNs ?? left.atNs)),
    atMostMs: ms(entered.notBeforeNs ?? entered.atNs, left.atNs),
    certainty: weaker(entered.certainty, left.certainty),
  };
}

const STRENGTH: Readonly<Record<Certainty, number>> = { exact: 2, bounded: 1, inferred: 0 };
const weaker = (a: Certainty, b: Certainty): Certainty => (STRENGTH[a] <= STRENGTH[b] ? a : b);
