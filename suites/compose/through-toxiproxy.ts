/** The story of a compose project with Toxiproxy: a request and its answer go through it, whatever its toxics are. */
import {
  asToxic,
  type Connection,
  type LegsCheck,
  type Toxic,
  type ViaScenario,
  type ViaStage,
} from '../../harness/index.js';
import { comesAfter, goesThrough } from '../toxiproxy/checks.js';
import { listens, settles } from '../toxiproxy/plays.js';
import { ownIsns } from '../toxiproxy/separate.js';

export interface ThroughToxiproxyOptions {
  readonly toxics: readonly Toxic[];
  /** What the client says; empty: nothing, and the server neither. */
  readonly request: Uint8Array | string;
}

const ACCEPT = 'proxy.go, Proxy.server';
const LATENCY = 'toxics/latency.go, LatencyToxic.Pipe';
/** What is late on a busy machine, besides what a toxic is for. */
const LATE_MS = 1000;
const ANSWERS_WITHIN_MS = 5000;

export function throughToxiproxy({ toxics, request }: ThroughToxiproxyOptions): ViaScenario {
  const talks = request.length > 0;
  return {
    id: 'compose/through-toxiproxy',
    title: 'shows that the way through Toxiproxy is two connections, and what its toxics do to them',
    toxics,
    limitMs: 30_000,
    play: (stage) => play(stage, talks ? request : undefined),
    checks: [
      ownIsns(ACCEPT),
      goesThrough('client', ['SYN-SENT', 'ESTABLISHED'], ACCEPT),
      goesThrough('server', ['SYN-RECEIVED?', 'ESTABLISHED'], ACCEPT),
      ...(talks ? latencies(toxics) : []),
    ],
  };
}

async function play(stage: ViaStage, request: Uint8Array | string | undefined): Promise<void> {
  const { client, server } = await stage.established();
  if (request !== undefined) {
    await client.send(request);
    await arrives(stage, 'the request', server);
    await server.send('answer').catch(() => stage.mark('the server could not answer'));
    await arrives(stage, 'the answer', client);
  }
  await client.close();
  await listens(server);
  await server.close().catch(() => stage.mark('the server did not close'));
  await settles(stage);
}

/** A toxic may keep it back for good: then the traces show that. */
async function arrives(stage: ViaStage, what: string, at: Connection): Promise<void> {
  await at.receive({ withinMs: ANSWERS_WITHIN_MS }).catch(() => stage.mark(`${what} did not come`));
}

/** Those of one direction add up. Of other toxics any may keep data back longer, or for good. */
function latencies(toxics: readonly Toxic[]): readonly LegsCheck[] {
  const all = toxics.flatMap((toxic) => (toxic.type === 'latency' ? [toxic] : []));
  if (all.length < toxics.length || all.some(({ toxicity = 1 }) => toxicity < 1)) return [];
  return (['upstream', 'downstream'] as const).flatMap((direction) => {
    const own = all.filter(({ stream = 'downstream' }) => stream === direction);
    if (own.length === 0) return [];
    const sumMs = own.reduce((sum, { latencyMs }) => sum + latencyMs, 0);
    const jitterMs = own.reduce((sum, { jitterMs: each = 0 }) => sum + each, 0);
    return [late(direction, sumMs - jitterMs, sumMs + jitterMs)];
  });
}

function late(stream: 'upstream' | 'downstream', leastMs: number, mostMs: number): LegsCheck {
  const [near, far] =
    stream === 'downstream' ? (['server', 'client'] as const) : (['client', 'server'] as const);
  return comesAfter({
    id: `${stream}-late`,
    sentence: `What the ${near} says goes on ${leastMs === mostMs ? `${leastMs} ms` : `${leastMs} to ${mostMs} ms`} after it came to the proxy`,
    source: LATENCY,
    from: { leg: near, query: { from: near, data: true } },
    to: { leg: far, query: { from: near, data: true } },
    leastMs: Math.max(0, leastMs),
    mostMs: mostMs + LATE_MS,
  });
}

/** Where nobody says otherwise. */
export const DEFAULT_TOXICS: readonly Toxic[] = [asToxic('latency downstream 100ms')];
