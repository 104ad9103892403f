/** How connections are closed in the scenarios of this suite. The client closes first in all of them. */
import { activeFin, activeFinAck, finalAck, type Stage } from '../../harness/index.js';
import { established, type Pair, readsTheEnd, says } from '../roads.js';

/** A request and its answer, so that neither direction is empty when the close begins. */
export async function conversed(stage: Stage): Promise<Pair> {
  const pair = await established(stage);
  await says(pair.client, pair.server, 'ping');
  await says(pair.server, pair.client, 'pong');
  return pair;
}

/** The client's program is done writing; the server's reads the end and waits until its stack's ACK has left. */
export async function firstHalfClosed(stage: Stage): Promise<Pair> {
  const pair = await conversed(stage);
  await pair.client.shutdown('write');
  await readsTheEnd(pair.server);
  await stage.wire.sees(activeFinAck().from('server'), { delivered: true });
  return pair;
}

/** Four segments: FIN, its ACK, the other FIN, its ACK. */
export async function closesInFour(stage: Stage): Promise<void> {
  await closesSecondHalf(stage, await firstHalfClosed(stage));
}

async function closesSecondHalf(stage: Stage, { client, server }: Pair): Promise<void> {
  await server.close();
  await readsTheEnd(client);
  await client.close();
  await stage.reaches('server', 'CLOSED');
  await staysUntilClosed(stage);
}

/** After the client's FIN the server still speaks, and the client still reads. */
export async function closesHalf(stage: Stage): Promise<void> {
  const pair = await firstHalfClosed(stage);
  await says(pair.server, pair.client, 'more');
  await says(pair.server, pair.client, 'and more');
  await closesSecondHalf(stage, pair);
}

/** Waits for the end of TIME-WAIT where the caller asked for it. */
export async function staysUntilClosed(stage: Stage): Promise<void> {
  if (stage.untilClosed) await stage.reaches('client', 'CLOSED', { withinMs: 130_000 });
}

/**
 * Three segments need the server's program to close while its stack still delays the ACK of the FIN (40 ms in Linux). A
 * busy machine may miss that, so it is tried on further connections, and the trace keeps them all.
 */
export async function closesInThree(stage: Stage): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    stage.mark(`attempt ${attempt}`);
    const { client, server, listener } = await conversed(stage);
    await client.shutdown('write');
    await readsTheEnd(server);
    await server.close();
    await readsTheEnd(client);
    await client.close();
    await listener.close();
    const last = await stage.wire.sees(finalAck().from('client').inFlow(attempt), { delivered: true });
    const fin = stage.wire
      .records()
      .find(({ facts }) => facts?.flow === attempt && facts.roles.includes('passive-fin'));
    if (fin?.facts?.roles.includes('active-fin-ack') && last.id > fin.id) return;
  }
}

/** Both programs close while the other's FIN is still under way: the wire holds the FINs until both have left. */
export async function closesAtOnce(stage: Stage): Promise<void> {
  const { client, server } = await conversed(stage);
  await Promise.all([client.shutdown('write'), server.shutdown('write')]);
  await Promise.all((['client', 'server'] as const).map((side) => stage.wire.sees(activeFin().from(side))));
  stage.mark('both FINs are on the wire: releases them');
  await stage.wire.release('fins');
  await Promise.all([readsTheEnd(client), readsTheEnd(server)]);
  await Promise.all([client.close(), server.close()]);
  await Promise.all([stage.reaches('client', 'TIME-WAIT'), stage.reaches('server', 'TIME-WAIT')]);
  await staysUntilClosed(stage);
}
