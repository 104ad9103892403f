/** How the timers of an idle or blocked connection are provoked. */
import { keepAlive, SocketError, type SocketOptions, type Stage, windowProbe } from '../../harness/index.js';
import { established, SERVER_PORT, says, serverAddress } from '../roads.js';

/** Keep-alive as fast as Linux's whole seconds allow. */
const KEEP_ALIVE: SocketOptions = { SO_KEEPALIVE: 1, TCP_KEEPIDLE: 1, TCP_KEEPINTVL: 1, TCP_KEEPCNT: 3 };

/** The longest that what is left may take once the window is open. */
export const DRAINED_WITHIN_MS = 30_000;

/** An idle connection whose client asked for keep-alive, until `probes` of its probes have been seen. */
export async function idlesWithKeepAlive(stage: Stage, probes: number): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(serverAddress(stage), { options: KEEP_ALIVE });
  const server = await listener.accept();
  await says(client, server, 'ping');
  await stage.wire.sees(keepAlive().from('client').ordinal(probes));
}

/** The client asked for keep-alive and its probes are lost: its program learns that the connection is gone. */
export async function idlesUntilGivenUp(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(serverAddress(stage), { options: KEEP_ALIVE });
  const server = await listener.accept();
  await says(client, server, 'ping');
  await client.receive({ withinMs: 10_000 }).catch((error: unknown) => {
    if (!(error instanceof SocketError)) throw error;
  });
  await stage.reaches('client', 'CLOSED');
}

/** Nobody asked for keep-alive and nobody speaks. */
export async function idles(stage: Stage): Promise<void> {
  const { client, server } = await established(stage);
  await says(client, server, 'ping');
  await client.getOption('SO_KEEPALIVE');
  await client.getOption('TCP_KEEPIDLE');
  await stage.pass(2500, 'an idle connection stays silent');
}

/** The server's program reads nothing until the client's stack has probed the closed window a few times. */
export async function fillsTheWindow(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT, options: { SO_RCVBUF: 4096 } });
  const client = await stage.client.connect(serverAddress(stage));
  const server = await listener.accept();
  const text = 'x'.repeat(20_000);
  await client.send(text);
  // Three show whether the time between them grows: the second comes a second after the first at the latest (RFC 6298 rule 2.4).
  await stage.wire.sees(windowProbe().from('client').after(windowProbe(), { atLeastMs: 1200 }));
  stage.mark('the server reads: its window opens');
  // Through a small buffer it may come in small pieces, each a time-out after the one before.
  await server.receiveAll({ octets: text.length, withinMs: DRAINED_WITHIN_MS });
}
