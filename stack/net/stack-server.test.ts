import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { once } from 'node:events';
import { SERVER_IP } from '../simulation/two-hosts.js';
import { Pair } from './pair.fixture.js';
import type { SystemError } from './system-error.js';

const PORT = 7000;

describe('A server of the stack with the face of net.Server', () => {
  it('listens at a port of its choice when none is given, and says which', async () => {
    using pair = new Pair();
    const server = pair.server.createServer().listen();
    await once(server, 'listening');
    const { address, family, port = 0 } = server.address() ?? {};
    deepEqual([address, family, port > 0], ['0.0.0.0', 'IPv4', true]);
  });

  it('takes its arguments as net.Server does', async () => {
    using pair = new Pair();
    for (const listen of [
      (server: ReturnType<typeof pair.server.createServer>) => server.listen(PORT, SERVER_IP),
      (server: ReturnType<typeof pair.server.createServer>) => server.listen({ port: PORT, host: SERVER_IP }),
    ]) {
      const server = listen(pair.server.createServer());
      await once(server, 'listening');
      deepEqual(server.address(), { address: SERVER_IP, family: 'IPv4', port: PORT });
      server.close();
      await once(server, 'close');
      equal(server.address(), null);
    }
    await new Promise<void>((resolve) => pair.server.createServer().listen(PORT, resolve));
  });

  it('says EADDRINUSE for a port that is taken', async () => {
    using pair = new Pair();
    pair.server.createServer().listen(PORT);
    const [error] = (await once(pair.server.createServer().listen(PORT), 'error')) as [SystemError];
    deepEqual([error.code, error.syscall, error.port], ['EADDRINUSE', 'listen', PORT]);
  });

  it('does not listen twice', () => {
    using pair = new Pair();
    const server = pair.server.createServer().listen(PORT);
    throws(() => server.listen(PORT + 1), { code: 'ERR_SERVER_ALREADY_LISTEN' });
  });

  it('closes when its last connection has ended', async () => {
    using pair = new Pair();
    const server = pair.server.createServer((socket) => socket.resume()).listen(PORT);
    const client = pair.client.connect(PORT, SERVER_IP);
    await once(server, 'connection');
    let isClosed = false;
    server.close(() => {
      isClosed = true;
    });
    for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setImmediate(resolve));
    equal(isClosed, false);
    client.resume().end();
    await once(server, 'close');
    equal(isClosed, true);
  });

  it('says that it does not run when it is closed twice', async () => {
    using pair = new Pair();
    const server = pair.server.createServer().listen(PORT);
    server.close();
    const error = await new Promise<Error | undefined>((resolve) => server.close(resolve));
    match(String(error), /not running/);
  });

  it('counts its connections', async () => {
    using pair = new Pair();
    const server = pair.server.createServer().listen(PORT);
    for (let i = 0; i < 3; i += 1) {
      pair.client.connect(PORT, SERVER_IP);
      await once(server, 'connection');
    }
    equal(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 3);
  });

  it('drops what is beyond its maximum', async () => {
    using pair = new Pair();
    const server = pair.server.createServer().listen(PORT);
    server.maxConnections = 1;
    pair.client.connect(PORT, SERVER_IP);
    await once(server, 'connection');
    const second = pair.client.connect(PORT, SERVER_IP);
    const [[dropped], [error]] = await Promise.all([once(server, 'drop'), once(second, 'error')]);
    equal((dropped as { localPort: number }).localPort, PORT);
    equal((error as SystemError).code, 'ECONNRESET');
  });
});
