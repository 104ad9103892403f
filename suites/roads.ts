/** The roads into the situations that scenarios start from. */
import type { Address, Connection, Listener, Stage } from '../harness/index.js';

/** The server's port; any would do, a fixed one reads better in a trace. */
export const SERVER_PORT = 7000;

export interface Pair {
  readonly listener: Listener;
  readonly client: Connection;
  readonly server: Connection;
}

export const serverAddress = (stage: Stage): Address => ({ ip: stage.ip('server'), port: SERVER_PORT });

/** Both ends established, the handshake complete on the wire and nothing sent. */
export async function established(stage: Stage): Promise<Pair> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(listener.local);
  const server = await listener.accept();
  return { listener, client, server };
}

/** Sends `text` from one end and waits until the other has read all of it. */
export async function says(from: Connection, to: Connection, text: string): Promise<void> {
  await from.send(text);
  await to.receiveAll({ octets: Buffer.byteLength(text) });
}

/** Waits until what was said last is acknowledged: an ACK may wait for half a second (RFC 9293 section 3.8.6.3, MUST-40). */
export const acknowledged = (stage: Stage): Promise<void> => stage.wire.quiet({ forMs: 600, withinMs: 5000 });

/** Waits for the other side's FIN as a program sees it: the end of the stream. */
export async function readsTheEnd(connection: Connection, withinMs = 10_000): Promise<void> {
  const { ended } = await connection.receiveAll({ withinMs });
  if (!ended) throw new Error('the stream did not end');
}
