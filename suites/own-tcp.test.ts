/**
 * The project's own TCP as a library, in real time: programs that know nothing of it fetch from it, and it fetches from servers in the
 * kernel, through a wire that loses one segment in a hundred. Everything is in network namespaces of the test's own.
 */
import { equal, ok } from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drop, type Fault, Random, type Side } from '../harness/index.js';
import { EthernetDevice, type Host, openHost, RealClock, Routes } from '../stack/device/index.js';
import { Namespace, namespacesMissing } from '../stack/device/namespace.fixture.js';
import { WiredDevice } from './own-tcp/wired-device.js';

const OCTETS = 100_000_000;
const WITHIN_MS = 120_000;
const SEED = 8;
const KERNEL = { ip: '198.18.254.1', address: '198.18.254.1/24' };
const STACK = { ip: '198.18.254.2', address: '198.18.254.2/24' };
const PORT = 8080;

/** One in a hundred of the segments that a side sends for the first time, the same ones for a seed. */
function onePercent(side: Side, seed: number): Fault {
  const random = new Random(seed);
  const lost = Array.from({ length: 200_000 }, (_, i) => i + 1).filter(() => random.below(100) === 0);
  return drop({ sender: side, nth: lost }, { id: `${side} loses 1 %` });
}

/** A kernel at one end of a veth, the stack at the other, and the lossy wire before it. */
class LossyPath implements AsyncDisposable {
  readonly kernel = new Namespace();
  readonly #place = new Namespace();
  readonly #wired: WiredDevice;
  readonly host: Host;

  constructor(side: Side) {
    this.kernel.link('eth0', this.#place, 'eth0');
    this.kernel.ip(`addr add ${KERNEL.address} dev eth0`);
    // What is to be lost is a segment as a network would carry it.
    this.kernel.switchOffloadsOff('eth0');
    // A timer looks for what has come before it does what it is for.
    const clock = new RealClock(() => this.#wired.poll());
    const addresses = [STACK.address];
    const device = this.#place.run(
      () =>
        new EthernetDevice({ name: 'eth0', addresses, routes: new Routes(addresses), clock, offload: false }),
    );
    this.#wired = new WiredDevice(device, {
      side,
      faults: [onePercent('client', SEED), onePercent('server', SEED + 1)],
    });
    this.host = openHost({ device: this.#wired, clock, addresses });
  }

  /** How many segments were lost, by the wire's own receipts. */
  get lost(): number {
    return this.#wired.receipts.reduce((sum, { acted }) => sum + acted, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
    this.kernel[Symbol.dispose]();
    this.#place[Symbol.dispose]();
  }
}

const has = (tool: string): boolean => spawnSync('which', [tool]).status === 0;

const isRoot = (): boolean => /^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'));

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe("the project's own TCP in real time, losing 1 %", function () {
  this.timeout(WITHIN_MS);
  let folder = '';
  let file = '';
  let wanted = '';

  before(function () {
    const missing = namespacesMissing() ?? (has('ip') ? undefined : 'there is no ip(8): install iproute2');
    if (missing !== undefined) {
      process.stdout.write(`    skipped: ${missing}\n`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'own-tcp-'));
    // For a server that gives up root's rights.
    chmodSync(folder, 0o755);
    file = join(folder, 'file');
    const octets = Buffer.alloc(OCTETS);
    const random = new Random(SEED);
    for (let at = 0; at < OCTETS; at += 4096) octets.writeUInt32LE(random.uint32(), at);
    writeFileSync(file, octets);
    wanted = createHash('sha256').update(octets).digest('hex');
  });

  after(() => {
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  it('curl fetches 100 MB from an http server on the stack and gets every octet', async function () {
    if (!has('curl')) {
      process.stdout.write('    skipped: there is no curl\n');
      this.skip();
    }
    await using path = new LossyPath('server');
    const serving = http.createServer((_request, response) => createReadStream(file).pipe(response));
    path.host.createServer((socket) => serving.emit('connection', socket)).listen(PORT);
    const command = `curl --silent --show-error --fail http://${STACK.ip}:${PORT}/ | sha256sum`;
    const curl = path.kernel.run(() =>
      spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const [hash] = (await Promise.all([textOf(curl), ended(curl)])) as [string, undefined];
    equal(hash.split(' ')[0], wanted);
    ok(path.lost > 500, `${path.lost} segments were lost`);
    serving.closeAllConnections();
  });

  it("the stack's http client fetches 100 MB from a Node server in the kernel", async () => {
    await using path = new LossyPath('client');
    const program = `require('node:http').createServer((request, response) => require('node:fs').createReadStream(${JSON.stringify(file)}).pipe(response))
      .listen(${PORT}, '${KERNEL.ip}', () => console.log('listening'))`;
    const server = path.kernel.run(() =>
      spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    try {
      await once(server.stdout, 'data');
      equal(await fetchHash(path.host), wanted);
      ok(path.lost > 500, `${path.lost} segments were lost`);
    } finally {
      server.kill();
      await ended(server);
    }
  });

  it("the stack's http client fetches 100 MB from nginx", async function () {
    // Its workers change their groups, which a user namespace of an ordinary user forbids.
    const missing = has('nginx') ? (isRoot() ? undefined : 'nginx needs root') : 'there is no nginx';
    if (missing !== undefined) {
      process.stdout.write(`    skipped: ${missing}\n`);
      this.skip();
    }
    await using path = new LossyPath('client');
    const server = path.kernel.run(() => spawn('nginx', nginxArguments(folder), { stdio: 'ignore' }));
    try {
      const hash = await fetchHash(path.host);
      equal(hash, wanted);
      ok(path.lost > 500, `${path.lost} segments were lost`);
    } finally {
      server.kill();
      await ended(server);
    }
  });
});

async function textOf({ stdout }: { readonly stdout: AsyncIterable<unknown> }): Promise<string> {
  let text = '';
  for await (const chunk of stdout) text += String(chunk);
  return text;
}

/** Asks again while the server is starting. */
async function fetchHash(host: Host): Promise<string> {
  for (;;) {
    try {
      return await tryToFetch(host);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ECONNREFUSED') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function tryToFetch(host: Host): Promise<string> {
  const request = http.get({
    host: KERNEL.ip,
    port: PORT,
    path: '/file',
    createConnection: host.createConnection,
  });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function nginxArguments(folder: string): string[] {
  const at = join(folder, 'nginx');
  mkdirSync(at, { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${at}/${kind};`)
    .join(' ');
  writeFileSync(
    join(at, 'conf'),
    `daemon off; pid ${at}/pid; error_log ${at}/log; events {}
    http { access_log off; sendfile on; ${temporary} server { listen ${KERNEL.ip}:${PORT}; root ${folder}; } }`,
  );
  return ['-p', at, '-c', join(at, 'conf'), '-e', join(at, 'log')];
}
