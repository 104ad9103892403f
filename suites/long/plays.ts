/** What takes minutes to days, with the kernels' defaults: these plays wait for the stacks' own timers, however long. */
import {
  type Connection,
  keepAlive,
  passiveFin,
  SocketError,
  type SocketOptions,
  type Stage,
} from '../../harness/index.js';
import { conversed, firstHalfClosed } from '../close/plays.js';
import { acknowledged, type Pair, readsTheEnd, SERVER_PORT, says, serverAddress } from '../roads.js';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any stack is patient. */
const PATIENCE_MS = HOUR_MS;

/** What the program of a connection that fails is told, and when. */
async function learns(connection: Connection, withinMs = PATIENCE_MS): Promise<void> {
  await connection.receive({ withinMs }).catch((error: unknown) => {
    if (!(error instanceof SocketError)) throw error;
  });
}

/** Nobody answers the client's SYNs. */
export async function opensInVain(stage: Stage): Promise<void> {
  await stage.client.connect(serverAddress(stage), { withinMs: PATIENCE_MS }).then(
    (connection) => connection.abort(),
    (error: unknown) => {
      if (!(error instanceof SocketError)) throw error;
    },
  );
  await stage.reaches('client', 'CLOSED');
}

/** The client believes that it is connected; the server's stack never hears so. */
export async function opensUnnoticed(stage: Stage): Promise<void> {
  await stage.server.listen({ port: SERVER_PORT });
  await stage.client.connect(serverAddress(stage));
  await stage.reaches('server', 'SYN-RECEIVED');
  await stage.reaches('server', 'CLOSED', { withinMs: PATIENCE_MS });
}

/** A connection whose client set these options before it opened it. */
async function establishedWith(stage: Stage, options: SocketOptions): Promise<Pair> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(serverAddress(stage), { options });
  const server = await listener.accept();
  return { listener, client, server };
}

/** What the client says never arrives. */
export async function speaksInVain(stage: Stage, options: SocketOptions = {}): Promise<void> {
  const { client } = await establishedWith(stage, options);
  await client.send('lost');
  await learns(client);
  await stage.reaches('client', 'CLOSED');
}

/** The client closes first and its program is gone; the server's stack never hears so. */
export async function closesUnheardAndGoes(stage: Stage): Promise<void> {
  const { client } = await conversed(stage);
  await client.close();
  await stage.reaches('client', 'CLOSED', { withinMs: PATIENCE_MS });
}

/** As before, but the client's program waits for what the server may still say. */
export async function closesUnheardAndStays(stage: Stage): Promise<void> {
  const { client } = await conversed(stage);
  await client.shutdown('write');
  await learns(client);
  await stage.reaches('client', 'CLOSED');
}

/** The server's program closes second and is gone; the final ACKs of the client's stack are lost. */
export async function closesSecondAndGoes(stage: Stage): Promise<void> {
  const { client, server } = await firstHalfClosed(stage);
  await server.close();
  await readsTheEnd(client);
  await client.close();
  await stage.reaches('server', 'CLOSED', { withinMs: PATIENCE_MS });
  await stage.reaches('client', 'CLOSED', { withinMs: PATIENCE_MS });
}

/** The server's program closes its half second and keeps the connection; its FINs are lost. */
export async function closesSecondAndStays(stage: Stage): Promise<void> {
  const { server } = await firstHalfClosed(stage);
  await server.shutdown('write');
  await stage.reaches('server', 'CLOSED', { withinMs: PATIENCE_MS });
  await server.error();
}

/** The client's program is gone, the server's never closes, and speaks when the client's stack has forgotten. */
export async function neverClosesBack(stage: Stage): Promise<void> {
  const { client, server } = await conversed(stage);
  await client.close();
  await readsTheEnd(server);
  await stage.reaches('client', 'FIN-WAIT-2');
  await stage.reaches('client', 'CLOSED', { withinMs: PATIENCE_MS });
  await server.send('late');
  await stage.reaches('server', 'CLOSED');
  await server.error();
}

/** The client says that it will say no more; the server is silent for hours, and then speaks and closes. */
export async function halfClosesForHours(stage: Stage): Promise<void> {
  const { client, server } = await firstHalfClosed(stage);
  await stage.reaches('client', 'FIN-WAIT-2');
  await stage.pass(3 * HOUR_MS, 'the connection stays half-closed');
  await says(server, client, 'late');
  await server.close();
  await readsTheEnd(client);
  await client.close();
  await stage.reaches('server', 'CLOSED');
}

/** The final ACK gets lost until the server has repeated its FIN for so long that a restart of TIME-WAIT cannot be overlooked. */
export async function repeatsItsFinForLong(stage: Stage): Promise<void> {
  const { client, server } = await firstHalfClosed(stage);
  await server.close();
  await readsTheEnd(client);
  await client.close();
  const late = passiveFin().from('server').after(passiveFin().from('server'), { atLeastMs: 20_000 });
  await stage.wire.sees(late, { withinMs: PATIENCE_MS });
  stage.mark('final ACKs are lost no more');
  await stage.wire.remove('final-acks');
  await stage.reaches('server', 'CLOSED', { withinMs: PATIENCE_MS });
  await stage.reaches('client', 'CLOSED', { withinMs: PATIENCE_MS });
}

/** Keep-alive as the stack has it: its program asks for it and for nothing else. */
export async function idlesForADay(stage: Stage): Promise<void> {
  const { client, server } = await establishedWith(stage, { SO_KEEPALIVE: 1 });
  await says(client, server, 'ping');
  await stage.wire.sees(keepAlive().from('client').ordinal(12), { withinMs: 36 * HOUR_MS, delivered: true });
  await says(client, server, 'still there');
  await says(server, client, 'so am I');
  await acknowledged(stage);
}

/** The other side is gone without a word. */
export async function idlesUntilGivenUp(stage: Stage, options: SocketOptions = {}): Promise<void> {
  const { client, server } = await establishedWith(stage, { SO_KEEPALIVE: 1, ...options });
  await says(client, server, 'ping');
  await learns(client, 12 * HOUR_MS);
  await stage.reaches('client', 'CLOSED');
}

/** More than the server's buffers take, and its program reads nothing. */
async function fills(stage: Stage, options: SocketOptions = {}): Promise<Pair & { readonly octets: number }> {
  const listener = await stage.server.listen({ port: SERVER_PORT, options: { SO_RCVBUF: 4096 } });
  const client = await stage.client.connect(serverAddress(stage), { options });
  const server = await listener.accept();
  const octets = 20_000;
  await client.send('x'.repeat(octets));
  return { listener, client, server, octets };
}

/** The window stays shut for hours, and then the server reads. */
export async function reads(stage: Stage, { afterMs }: { readonly afterMs: number }): Promise<void> {
  const { server, octets } = await fills(stage);
  await stage.pass(afterMs, 'the server reads nothing');
  stage.mark('the server reads: its window opens');
  await server.receiveAll({ octets, withinMs: 10 * MINUTE_MS });
}

/** The server never reads. */
export async function neverReads(stage: Stage, options: SocketOptions = {}): Promise<void> {
  const { client } = await fills(stage, options);
  await learns(client);
  await stage.reaches('client', 'CLOSED');
}
