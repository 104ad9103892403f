import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CLIENT_IP, SERVER_IP } from '../simulation/two-hosts.js';
import { Liveness } from './liveness.js';
import type { NetConnectOptions } from './net.js';
import { Pair } from './pair.fixture.js';
import type { StackServerOptions } from './stack-server.js';
import { StackSocket } from './stack-socket.js';
import type { SystemError } from './system-error.js';

const PORT = 7000;

async function connected(
  pair: Pair,
  { server: options, ...to }: NetConnectOptions & { readonly server?: StackServerOptions } = {},
): Promise<{ client: StackSocket; server: StackSocket }> {
  const listening = pair.server.createServer(options).listen(PORT);
  const client = pair.client.connect({ port: PORT, host: SERVER_IP, ...to });
  const [server] = (await once(listening, 'connection')) as [StackSocket];
  if (client.connecting) await once(client, 'connect');
  listening.close();
  return { client, server };
}

/** An iterator would destroy the socket at its end. */
const textOf = async (socket: StackSocket): Promise<string> => {
  let text = '';
  socket.on('data', (data) => {
    text += String(data);
  });
  await once(socket, 'end');
  return text;
};

describe('A socket of the stack with the face of net.Socket', () => {
  it('tells where it is connected', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair, { localPort: 1234 });
    deepEqual(client.address(), { address: CLIENT_IP, family: 'IPv4', port: 1234 });
    deepEqual([client.remoteAddress, client.remotePort, client.remoteFamily], [SERVER_IP, PORT, 'IPv4']);
    deepEqual([server.localAddress, server.localPort], [SERVER_IP, PORT]);
    deepEqual([server.remoteAddress, server.remotePort], [CLIENT_IP, 1234]);
  });

  it('is connecting, then open, then half open, then closed', async () => {
    using pair = new Pair();
    pair.server.createServer({ allowHalfOpen: true }, (socket) => socket.resume()).listen(PORT);
    const client = pair.client.connect(PORT, SERVER_IP);
    deepEqual([client.readyState, client.connecting, client.pending], ['opening', true, true]);
    await once(client, 'ready');
    deepEqual([client.readyState, client.connecting, client.pending], ['open', false, false]);
    client.end();
    equal(client.readyState, 'readOnly');
    client.destroy();
    const [hadError] = await once(client, 'close');
    deepEqual([client.readyState, hadError], ['closed', false]);
  });

  it('carries what was written before it was connected, and ends behind it', async () => {
    using pair = new Pair();
    const listening = pair.server.createServer().listen(PORT);
    const client = pair.client.connect(PORT, SERVER_IP);
    client.write('early ');
    client.end('bird');
    const [server] = (await once(listening, 'connection')) as [StackSocket];
    equal(await textOf(server), 'early bird');
  });

  it('sends after the other side has ended, where half-open connections are allowed', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair, { server: { allowHalfOpen: true } });
    client.end('question');
    const asked = textOf(server);
    await once(server, 'end');
    server.end('answer');
    deepEqual([await asked, await textOf(client)], ['question', 'answer']);
  });

  it('ends by itself when the other side has ended', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair);
    server.resume();
    client.resume();
    client.end();
    await Promise.all([once(server, 'close'), once(client, 'close')]);
    ok(server.writableFinished);
  });

  it('closes the window while nobody reads, and makes the writer wait', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair);
    server.pause();
    const chunk = Buffer.alloc(65_536, 'x');
    let written = 0;
    while (client.write(chunk) || (await isDrained(client))) written += chunk.length;
    const { available = 0 } = server.tcp ?? {};
    ok(available >= 1 << 20 && available < 1.05 * (1 << 20), `${available} octets wait`);
    equal(client.tcp?.block.sndWnd, 0, 'and the window is shut');
    server.resume();
    await once(client, 'drain');
    client.end();
    await once(server, 'end');
    equal(server.bytesRead, client.bytesWritten);
    ok(written > 1.8 * (1 << 20), 'both buffers were full');
  });

  it('carries megabytes through a pipeline over a path that loses and reorders', async () => {
    let drawn = 0;
    using pair = new Pair({
      fate: ({ index }) => {
        drawn += 1;
        return index % 97 === 96 ? [] : [100_000 + (index % 7) * 3000];
      },
    });
    const { client, server } = await connected(pair);
    const chunks = Array.from({ length: 64 }, (_, i) => Buffer.alloc(32_768, i));
    const received: Buffer[] = [];
    server.on('data', (data: Buffer) => received.push(data));
    await Promise.all([pipeline(Readable.from(chunks), client), once(server, 'end')]);
    ok(Buffer.concat(received).equals(Buffer.concat(chunks)));
    ok(drawn > 1000);
  });

  it('says ECONNREFUSED, and of what call and address, where nobody listens', async () => {
    using pair = new Pair();
    const client = pair.client.connect({ port: 9, host: SERVER_IP });
    const [error] = (await once(client, 'error')) as [SystemError];
    deepEqual(
      [error.code, error.syscall, error.address, error.port],
      ['ECONNREFUSED', 'connect', SERVER_IP, 9],
    );
    equal(error.message, `connect ECONNREFUSED ${SERVER_IP}:9`);
  });

  it('says ETIMEDOUT when nothing answers', async () => {
    using pair = new Pair({ fate: () => [] });
    const client = pair.client.connect({ port: 9, host: SERVER_IP });
    const [error] = (await once(client, 'error')) as [SystemError];
    deepEqual([error.code, error.syscall], ['ETIMEDOUT', 'connect']);
  });

  it('says ENETUNREACH for an address of the version that the host has not', async () => {
    using pair = new Pair();
    const client = pair.client.connect({ port: 9, host: '2001:db8::1' });
    const [error] = (await once(client, 'error')) as [SystemError];
    equal(error.code, 'ENETUNREACH');
  });

  it('resets the connection when it is told to, and the other side learns it', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair);
    server.resetAndDestroy();
    const [error] = (await once(client, 'error')) as [SystemError];
    deepEqual([error.code, error.syscall], ['ECONNRESET', 'read']);
  });

  it('gives what came before a reset', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair);
    let text = '';
    client.on('data', (data) => {
      text += String(data);
    });
    server.write('last words', () => server.resetAndDestroy());
    await once(client, 'error');
    equal(text, 'last words');
  });

  it('tells an aborted signal as AbortError', async () => {
    using pair = new Pair({ fate: () => [] });
    const abort = new AbortController();
    const client = pair.client.connect({ port: 9, host: SERVER_IP, signal: abort.signal });
    const failed = rejects(once(client, 'connect'), { name: 'AbortError' });
    abort.abort();
    await failed;
  });

  it('tells when nothing has happened for the time-out', async () => {
    using pair = new Pair();
    const { client } = await connected(pair);
    client.setTimeout(5);
    equal(client.timeout, 5);
    await once(client, 'timeout');
    client.setTimeout(0);
    equal(client.timeout, undefined);
  });

  it('hands Nagle and keep-alive to the machine', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair, { noDelay: true, server: { keepAlive: true } });
    client.setKeepAlive(true, 5000);
    const { noDelay, keepAlive, keepAliveIdleMs } = client.tcp?.block.settings ?? {};
    deepEqual([noDelay, keepAlive, keepAliveIdleMs], [true, true, 5000]);
    equal(server.tcp?.block.settings.keepAlive, true);
  });

  it('says what ended a connection while it waited to be accepted', async () => {
    using pair = new Pair();
    const { client: near, server: far } = pair.hosts;
    const listener = far.listen({ port: PORT });
    const tcp = near.connect({ ip: SERVER_IP, port: PORT });
    tcp.onNotice = ({ kind }) => {
      if (kind === 'established') tcp.abort();
    };
    while (near.socketCount > 0 || listener.waiting === 0)
      await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
    const waited = listener.accept();
    ok(waited !== undefined);
    const [error] = (await once(new StackSocket(new Liveness()).attach(waited), 'error')) as [SystemError];
    deepEqual([error.code, error.syscall], ['ECONNRESET', 'read']);
  });

  it('leaves nothing in the stack after both sides have closed', async () => {
    using pair = new Pair();
    const { client, server } = await connected(pair);
    client.resume().end('bye');
    server.resume();
    await Promise.all([once(client, 'close'), once(server, 'close')]);
    while (pair.hosts.client.socketCount + pair.hosts.server.socketCount > 0)
      await new Promise((resolve) => setImmediate(resolve));
  });
});

/** Within some turns of the event loop; the other side reads nothing. */
async function isDrained(socket: StackSocket): Promise<boolean> {
  for (let turn = 0; turn < 500 && socket.writableNeedDrain; turn += 1)
    await new Promise((resolve) => setImmediate(resolve));
  return !socket.writableNeedDrain;
}
