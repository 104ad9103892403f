/** How connections are refused, aborted and reset in the scenarios of this suite. */
import { type Connection, SocketError, type Stage, type TcpState } from '../../harness/index.js';
import { conversed } from '../close/plays.js';
import { established, readsTheEnd, SERVER_PORT, serverAddress } from '../roads.js';

/** The next receive call says what the program learns: the trace keeps it for the checks. */
async function learns(connection: Connection): Promise<void> {
  await connection.receive().catch((error: unknown) => {
    if (!(error instanceof SocketError)) throw error;
  });
}

/** The client's program aborts an established connection. */
export async function aborts(stage: Stage): Promise<void> {
  const { client, server } = await conversed(stage);
  await client.abort();
  await learns(server);
  await stage.reaches('server', 'CLOSED');
}

/** The client's program closes although it has not read what the server said. */
export async function closesUnread(stage: Stage): Promise<void> {
  const { client, server } = await established(stage);
  await server.send('unread');
  await stage.wire.quiet({ forMs: 20, withinMs: 5000 });
  await client.close();
  await learns(server);
  await stage.reaches('server', 'CLOSED');
}

/** States that a stack which listens can be brought into by the segments of a scripted client. */
export type ServerState = Exclude<TcpState, 'CLOSED' | 'LISTEN' | 'SYN-SENT'>;

/** Brings the listening stack into a state: its program closes first, second, or at once with the peer. */
async function brings(stage: Stage, state: ServerState): Promise<Connection | undefined> {
  const { peer } = stage;
  const listener = await stage.server.listen({ port: SERVER_PORT });
  if (state === 'SYN-RECEIVED') {
    peer.send({ flags: 'SYN', dstPort: SERVER_PORT });
    await peer.expect({ flags: 'SYN,ACK', ack: 'iss+1' });
    return undefined;
  }
  await peer.connect({ port: SERVER_PORT });
  const server = await listener.accept();
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') {
    await peer.shutdown();
    await readsTheEnd(server);
  } else if (state !== 'ESTABLISHED') {
    await server.shutdown('write');
    await peer.expect({ flags: 'FIN,ACK', ack: 'sndNxt' });
  }
  if (state === 'LAST-ACK') {
    await server.shutdown('write');
    await peer.expect({ flags: 'FIN,ACK', ack: 'sndNxt' });
  }
  if (state === 'FIN-WAIT-2') peer.ack();
  // A FIN that does not acknowledge the stack's own: both close at once.
  if (state === 'CLOSING') {
    peer.send({ flags: 'FIN,ACK', ack: 'irs+1' });
    await peer.expect({ flags: 'ACK', ack: 'sndNxt' });
  }
  if (state === 'TIME-WAIT') {
    peer.send({ flags: 'FIN,ACK' });
    await peer.expect({ flags: 'ACK', ack: 'sndNxt' });
  }
  return server;
}

/** A RST at exactly RCV.NXT reaches the stack in `state`. */
export async function isResetIn(stage: Stage, state: ServerState): Promise<void> {
  const connection = await brings(stage, state);
  await stage.reaches('server', state);
  stage.peer.reset();
  await stage.reaches('server', 'CLOSED');
  if (connection !== undefined && (state === 'ESTABLISHED' || state.startsWith('FIN-WAIT')))
    await learns(connection);
  if (state === 'SYN-RECEIVED') await servesTheNext(stage);
}

/** A RST comes to a listener that has no connection. */
export async function isResetInListen(stage: Stage): Promise<void> {
  await stage.server.listen({ port: SERVER_PORT });
  stage.peer.send({ flags: 'RST', seq: 1000, dstPort: SERVER_PORT });
  await stage.peer.expectNothing({ for: '100ms' });
  await servesTheNext(stage);
}

/** A RST elsewhere in the window, then one outside of it, reach the stack. */
export async function isAlmostReset(stage: Stage): Promise<void> {
  const { peer } = stage;
  const connection = await brings(stage, 'ESTABLISHED');
  peer.send({ flags: 'RST', seq: 'sndNxt+100' });
  await peer.expect({ flags: 'ACK', ack: 'sndNxt' });
  peer.send({ flags: 'RST', seq: 'sndNxt-1000' });
  await peer.expectNothing({ for: '100ms' });
  peer.send({ payload: 'still there' });
  await connection?.receiveAll({ octets: 11 });
}

/** The answer to the stack's SYN is a RST that acknowledges it. */
export async function isRefusedByPeer(stage: Stage): Promise<void> {
  const opening = stage.client.connect(serverAddress(stage));
  opening.catch(() => undefined);
  await stage.peer.expect({ flags: 'SYN' });
  stage.peer.send({ flags: 'RST,ACK', seq: 0 });
  await opening.then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof SocketError)) throw error;
    },
  );
}

/** After the reset the listener is as before: another connection comes about. */
async function servesTheNext(stage: Stage): Promise<void> {
  stage.mark('another connection to the same listener');
  await stage.peer.connect({ port: SERVER_PORT, fromPort: 40_100 });
}
