/** What the programs do in the scenarios with Toxiproxy. */
import type { Connection, ThroughProxy, ViaStage } from '../../harness/index.js';
import { says } from '../roads.js';

/** A request and its answer through the proxy. */
export async function conversed(stage: ViaStage): Promise<ThroughProxy> {
  const way = await stage.established();
  await says(way.client, way.server, 'ping');
  await says(way.server, way.client, 'pong');
  return way;
}

/** Receives until something else than data comes: the end, an error, or nothing for so long. What it was is in the trace. */
export async function listens(connection: Connection, withinMs = 2000): Promise<void> {
  try {
    for (;;) if ((await connection.receive({ withinMs })).kind === 'end') return;
  } catch {
    // ECONNRESET, or nothing came: the checks read the call's result.
  }
}

/** Sends, whatever comes of it. */
export async function tries(connection: Connection, text: string): Promise<void> {
  await connection.send(text).catch(() => {});
}

/** Lets segments that are under way arrive. */
export const settles = (stage: ViaStage): Promise<void> => stage.pass(100, 'what is under way arrives');

/** What comes at once comes within this, on a busy machine too. The toxics' times in these scenarios are longer. */
export const AT_ONCE_MS = 500;
