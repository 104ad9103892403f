/** How connections are opened in the scenarios of this suite. */
import { handshakeAck, rst, SocketError, type Stage, syn, synAck, WaitTimeout } from '../../harness/index.js';
import { acknowledged, established, SERVER_PORT, says, serverAddress } from '../roads.js';

/** Opens, and proves by an exchange that both ends are established. */
export async function opens(stage: Stage): Promise<void> {
  const { client, server } = await established(stage);
  await says(client, server, 'ping');
  await says(server, client, 'pong');
}

/** Five connections one after the other: their ISNs can be compared. */
export async function opensFive(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  for (let i = 0; i < 5; i += 1) {
    const client = await stage.client.connect(serverAddress(stage));
    const server = await listener.accept();
    await says(client, server, 'ping');
    await client.abort();
    await stage.reaches('server', 'CLOSED');
    await server.close();
  }
}

/**
 * A client that means to speak first may put its data on the third segment: in Linux, when its ACK may be delayed (200 ms).
 * A busy machine may miss that, so it is tried on further connections, and the trace keeps them all.
 */
export async function speaksOnThirdSegment(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    stage.mark(`attempt ${attempt}`);
    const client = await stage.client.connect(serverAddress(stage), { options: { TCP_DEFER_ACCEPT: 1 } });
    await client.send('ping');
    const server = await listener.accept();
    await server.receiveAll({ octets: 4 });
    const third = await stage.wire.sees(handshakeAck().from('client').inFlow(attempt));
    if (third.facts !== undefined && third.facts.len > 0) return acknowledged(stage);
  }
}

/** Both ends connect to each other; the wire holds the SYNs until both have left. */
export async function opensAtOnce(stage: Stage): Promise<void> {
  const ports = { client: 40_001, server: 40_002 };
  const client = await stage.client.open(
    { ip: stage.ip('server'), port: ports.server },
    { fromPort: ports.client },
  );
  const server = await stage.server.open(
    { ip: stage.ip('client'), port: ports.client },
    { fromPort: ports.server },
  );
  await Promise.all((['client', 'server'] as const).map((side) => stage.wire.sees(syn().from(side))));
  stage.mark('both SYNs are on the wire: releases them');
  await stage.wire.release('syns');
  await Promise.all([client.established, server.established]);
  await says(client, server, 'ping');
  await says(server, client, 'pong');
}

/** The opening is refused or given up: the errno is in the trace, where the checks find it. */
export async function opensInVain(stage: Stage, { listening }: { listening: boolean }): Promise<void> {
  if (listening) await stage.server.listen({ port: SERVER_PORT });
  const opening = stage.client.connect(serverAddress(stage), { withinMs: 30_000 });
  await opening.catch((error: unknown) => {
    if (!(error instanceof SocketError)) throw error;
  });
  await stage.reaches('client', 'CLOSED');
  // The stack of the server may still be waiting for an answer to its SYN,ACK.
  if (listening) await stage.reaches('server', 'CLOSED', { withinMs: 30_000 });
}

/** The client believes that it is connected; the server's stack never hears so, and gives up. */
export async function opensUnnoticed(stage: Stage): Promise<void> {
  await stage.server.listen({ port: SERVER_PORT });
  await stage.client.connect(serverAddress(stage));
  await stage.wire.sees(synAck().from('server').copy(1));
  await stage.reaches('server', 'CLOSED', { withinMs: 30_000 });
}

/** After a connection has come and gone, its SYN reaches the listener once more. Nobody may be connected. */
export async function meetsOldSyn(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(serverAddress(stage));
  const server = await listener.accept();
  const first = await stage.wire.sees(syn().from('client'));
  await client.abort();
  await Promise.all([stage.reaches('client', 'CLOSED'), stage.reaches('server', 'CLOSED')]);
  await server.close();
  stage.mark('the SYN of the connection that is gone comes once more');
  await stage.wire.inject(first.packet, 'server');
  await stage.wire.sees(rst().from('client').inFlow(2), { delivered: true });
  await stage.reaches('server', 'CLOSED');
  await listener.accept({ withinMs: 200 }).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof WaitTimeout)) throw error;
    },
  );
}

/** The client says nothing after its handshake ACK: only the server's SYN,ACK can repair the loss. */
export async function opensSilently(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  await stage.client.connect(serverAddress(stage));
  await listener.accept();
}

/** The client speaks at once: its data carry the acknowledgement that was lost. */
export async function opensAndSpeaks(stage: Stage): Promise<void> {
  const listener = await stage.server.listen({ port: SERVER_PORT });
  const client = await stage.client.connect(serverAddress(stage));
  await stage.wire.sees(handshakeAck().from('client'));
  await client.send('ping');
  const server = await listener.accept();
  await server.receiveAll({ octets: 4 });
}
