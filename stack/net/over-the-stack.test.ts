/** What Node has for streams of any kind runs over the stack unchanged. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { SERVER_IP } from '../simulation/two-hosts.js';
import { Pair } from './pair.fixture.js';

const PORT = 80;
const BODY = randomBytes(3_000_000);

const hashOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

async function bodyOf(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A key and a certificate for one run of the tests; undefined where there is no openssl. */
function makeCertificate(): { readonly key: string; readonly cert: string } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=stack.test', '-addext', `subjectAltName=IP:${SERVER_IP},DNS:stack.test`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('Over the stack', () => {
  it('http asks and answers, body and all', async () => {
    using pair = new Pair();
    const answering = http.createServer(async (request, response) => {
      response.end(hashOf(await bodyOf(request)));
    });
    pair.server.createServer((socket) => answering.emit('connection', socket)).listen(PORT);
    const request = http.request({
      method: 'POST',
      host: SERVER_IP,
      path: '/',
      createConnection: pair.client.createConnection,
    });
    request.end(BODY);
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    equal(String(await bodyOf(response)), hashOf(BODY));
  });

  it("http's agent keeps a connection and uses it again", async () => {
    using pair = new Pair();
    const answering = http.createServer((request, response) => response.end(request.url));
    let connections = 0;
    pair.server
      .createServer({ allowHalfOpen: true }, (socket) => {
        connections += 1;
        answering.emit('connection', socket);
      })
      .listen(PORT);
    const agent = Object.assign(new http.Agent({ keepAlive: true, maxSockets: 1 }), {
      createConnection: pair.client.createConnection,
    });
    for (const path of ['/one', '/two', '/three']) {
      const request = http.get({ agent, host: SERVER_IP, path });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      equal(String(await bodyOf(response)), path);
    }
    agent.destroy();
    answering.closeAllConnections();
    equal(connections, 1);
  });

  it('http tells a client that gives up', async () => {
    using pair = new Pair();
    const closed = new Promise<void>((resolve) => {
      const answering = http.createServer((_request, response) => {
        response.once('close', resolve);
        response.write('never finished');
      });
      pair.server.createServer((socket) => answering.emit('connection', socket)).listen(PORT);
    });
    const request = http.get({ host: SERVER_IP, createConnection: pair.client.createConnection });
    await once(request, 'response');
    request.on('error', () => {});
    request.destroy();
    await closed;
  });

  describe('with TLS', () => {
    const certificate = makeCertificate();

    before(function () {
      if (certificate !== undefined) return;
      process.stdout.write('      skipped: there is no openssl to make a certificate with\n');
      this.skip();
    });

    it('tls.connect and a TLSSocket of the server side agree', async () => {
      using pair = new Pair();
      const received = new Promise<string>((resolve, reject) => {
        pair.server
          .createServer((socket) => {
            // It takes any stream (doc/api/tls.md); its types know net.Socket only.
            const secure = new tls.TLSSocket(socket as unknown as Socket, { isServer: true, ...certificate });
            secure.once('error', reject).once('data', (data) => {
              resolve(String(data));
              secure.end('and goodbye');
            });
          })
          .listen(443);
      });
      const socket = pair.client.connect(443, SERVER_IP);
      const secure = tls.connect({ socket, ca: certificate?.cert ?? '', servername: 'stack.test' });
      await once(secure, 'secureConnect');
      ok(secure.authorized);
      secure.write('hello');
      let answer = '';
      for await (const chunk of secure) answer += String(chunk);
      deepEqual([await received, answer], ['hello', 'and goodbye']);
    });

    it('https asks and answers, body and all', async () => {
      using pair = new Pair();
      const answering = https.createServer({ ...certificate }, async (request, response) => {
        response.end(hashOf(await bodyOf(request)));
      });
      pair.server.createServer((socket) => answering.emit('connection', socket)).listen(443);
      const request = https.request({
        method: 'POST',
        host: SERVER_IP,
        createConnection: () =>
          tls.connect({
            socket: pair.client.connect(443, SERVER_IP),
            ca: certificate?.cert ?? '',
            servername: 'stack.test',
          }),
      });
      request.end(BODY);
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      equal(String(await bodyOf(response)), hashOf(BODY));
    });
  });
});
