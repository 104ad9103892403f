/**
 * The record of a run with a proxy in the middle: TCP ends there, so there are two connections, each with a trace. Times of both
 * count from one instant.
 */
import type { Nanos } from '../clock/index.js';
import { LEG_NAMES, type LegName, type Recording } from '../lab/index.js';
import { assemble, type TraceMeta } from './assemble.js';
import type { Trace } from './trace.js';

export type { LegName };

/**
 * - `client`: the leg from the client to the proxy; its `client` is the client, its `server` the proxy;
 * - `server`: the leg from the proxy to the server; its `client` is the proxy, its `server` the server.
 */
export type Legs = Readonly<Record<LegName, Trace>>;

export const eachLeg = <T>(make: (leg: LegName) => T): Readonly<Record<LegName, T>> => ({
  client: make('client'),
  server: make('server'),
});

/** The recordings of both legs, taken by labs whose clocks have one epoch. */
export function assembleLegs(
  recordings: Readonly<Record<LegName, Recording>>,
  metas: Readonly<Record<LegName, TraceMeta>>,
): Legs {
  const startNs = Math.min(...LEG_NAMES.map((leg) => firstNs(recordings[leg], metas[leg])));
  return eachLeg((leg) => assemble(recordings[leg], { ...metas[leg], startNs }));
}

function firstNs({ segments, transitions, notes, calls }: Recording, { marks = [] }: TraceMeta): Nanos {
  const all = [...segments, ...transitions, ...notes, ...calls, ...marks];
  return Math.floor(
    all.reduce((first, { atNs }) => Math.min(first, atNs), all[0]?.atNs ?? Number.MAX_SAFE_INTEGER),
  );
}
