/** The stack on devices of Linux, with the kernel at the other end, in namespaces of the test's own. */
import { equal, match, ok, throws } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { DeviceError } from './libc.js';
import { Namespace, namespacesMissing } from './namespace.fixture.js';
import { type Host, type HostOptions, openHost } from './open-host.js';

const DATA = Buffer.alloc(2_000_000, 'the quick brown fox ');
const KERNEL = { 4: '198.18.252.1', 6: 'fd00:252::1' } as const;
const STACK = { 4: '198.18.252.2', 6: 'fd00:252::2' } as const;
const ADDRESSES = [`${STACK[4]}/24`, `${STACK[6]}/64`];

interface Place extends AsyncDisposable {
  readonly kernel: Namespace;
  readonly host: Host;
}

const withoutDad = (name: string) => ['addr', 'add', `${KERNEL[6]}/64`, 'dev', name, 'nodad'].join(' ');

function onVeth(offload: boolean, options: Partial<HostOptions> = {}): Place {
  const kernel = new Namespace();
  const place = new Namespace();
  kernel.link('eth0', place, 'eth0');
  kernel.ip(`addr add ${KERNEL[4]}/24 dev eth0`);
  kernel.ip(withoutDad('eth0'));
  if (!offload) kernel.switchOffloadsOff('eth0');
  const host = place.run(() =>
    openHost({ device: 'veth', name: 'eth0', addresses: ADDRESSES, offload, ...options }),
  );
  return {
    kernel,
    host,
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      place[Symbol.dispose]();
      kernel[Symbol.dispose]();
    },
  };
}

function onTun(offload: boolean): Place {
  const kernel = new Namespace();
  const host = kernel.run(() => openHost({ device: 'tun', name: 'tun0', addresses: ADDRESSES, offload }));
  kernel.ip(`addr add ${KERNEL[4]}/24 dev tun0`);
  kernel.ip(withoutDad('tun0'));
  kernel.ip('link set dev tun0 up');
  return {
    kernel,
    host,
    [Symbol.asyncDispose]: async () => {
      await host[Symbol.asyncDispose]();
      kernel[Symbol.dispose]();
    },
  };
}

async function received(socket: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

/** A server in the kernel. An address to listen at would be looked up, and that takes a moment in which the namespace is left. */
async function listenInKernel({ kernel }: Place, server: net.Server): Promise<number> {
  kernel.run(() => server.listen(0));
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** The kernel's program answers with what it was sent. */
async function echoOfKernel(place: Place, version: 4 | 6): Promise<Buffer> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  const port = await listenInKernel(place, server);
  const socket = place.host.connect({ host: KERNEL[version], port });
  socket.end(DATA);
  const answer = await received(socket);
  server.close();
  return answer;
}

/** A program in the kernel's namespace connects, sends its input and prints what comes. */
const CLIENT = `
  const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]), allowHalfOpen: true });
  socket.on('error', ({ code }) => process.stdout.write(code));
  process.stdin.pipe(socket).pipe(process.stdout);`;

async function connectFromKernel(
  { kernel }: Place,
  ip: string,
  port: number,
  input: Uint8Array,
): Promise<Buffer> {
  const child = kernel.run(() =>
    spawn(process.execPath, ['-e', CLIENT, ip, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return await received(child.stdout);
}

/** The stack's program answers with what it was sent. */
async function echoOfStack(place: Place, version: 4 | 6): Promise<Buffer> {
  const server = place.host.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  server.listen(7, version === 6 ? '::' : '0.0.0.0');
  const answer = await connectFromKernel(place, STACK[version], 7, DATA);
  server.close();
  return answer;
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

describe('The stack in real time', () => {
  before(function () {
    const missing = namespacesMissing();
    if (missing === undefined) return;
    process.stdout.write(`    skipped: ${missing}\n`);
    this.skip();
  });

  const makes: [string, (offload: boolean) => Place][] = [
    ['a veth', onVeth],
    ['a TUN', onTun],
  ];
  for (const [name, make] of makes)
    describe(`on ${name}`, () => {
      before(function () {
        try {
          if (make === onTun) void make(true)[Symbol.asyncDispose]();
        } catch (error) {
          if (!(error instanceof DeviceError)) throw error;
          process.stdout.write(`      skipped: ${error.message}\n`);
          this.skip();
        }
      });

      for (const offload of [true, false])
        for (const version of [4, 6] as const) {
          const how = offload ? 'packets of many segments' : 'one segment in a packet';

          it(`connects to the kernel over IPv${version}, and gets back what it sent, ${how}`, async () => {
            await using place = make(offload);
            ok((await echoOfKernel(place, version)).equals(DATA));
          });

          it(`serves the kernel over IPv${version}, ${how}`, async () => {
            await using place = make(offload);
            ok((await echoOfStack(place, version)).equals(DATA));
          });
        }
    });

  it('is found by its neighbours, and finds them, by an address of its own', async () => {
    await using place = onVeth(true, { mac: '02:00:00:00:00:99' });
    await echoOfKernel(place, 4);
    await echoOfStack(place, 6);
    const neighbours = place.kernel.ip('neigh show');
    for (const ip of [STACK[4], STACK[6]])
      match(neighbours, new RegExp(`${ip} dev eth0 lladdr 02:00:00:00:00:99`));
  });

  it('refuses where nobody listens, and is refused', async () => {
    await using place = onVeth(true);
    const refused = place.host.connect({ host: KERNEL[4], port: 9 });
    const [error] = await once(refused, 'error');
    equal((error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    equal(String(await connectFromKernel(place, STACK[4], 9, DATA)), 'ECONNREFUSED');
  });

  it('delivers what was written before it is disposed of', async () => {
    const place = onVeth(true);
    const server = net.createServer();
    const port = await listenInKernel(place, server);
    const socket = place.host.connect({ host: KERNEL[4], port });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    const whole = received(accepted);
    socket.write(DATA.subarray(0, 500_000));
    await place[Symbol.asyncDispose]();
    equal((await whole).length, 500_000);
    accepted.destroy();
    server.close();
  });

  it('gives all descriptors and memory back', async () => {
    const once = async (): Promise<void> => {
      await using place = onVeth(true);
      await echoOfKernel(place, 4);
    };
    await once();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = openDescriptors();
    for (let i = 0; i < 5; i += 1) await once();
    await new Promise((resolve) => setTimeout(resolve, 50));
    ok(openDescriptors() <= before, `${openDescriptors()} descriptors instead of ${before}`);
  });

  it('keeps a process running for as long as somebody waits for something', () => {
    const program = `
      const { Namespace } = await import(${JSON.stringify(new URL('./namespace.fixture.js', import.meta.url).href)});
      const { openHost } = await import(${JSON.stringify(new URL('./open-host.js', import.meta.url).href)});
      const [a, b] = [new Namespace(), new Namespace()];
      a.link('eth0', b, 'eth0');
      const host = b.run(() => openHost({ device: 'veth', name: 'eth0', addresses: ['198.18.252.2/24'] }));
      const server = host.createServer().listen(1);
      setTimeout(() => { console.log('still here'); server.close(); }, 100).unref();`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 15_000,
    });
    equal(said, 'still here\n');
  });
});

describe('A device that cannot be had', () => {
  const place = namespacesMissing() === undefined ? new Namespace() : undefined;

  before(function () {
    if (place === undefined) this.skip();
  });

  const tries: [string, Partial<HostOptions>, RegExp][] = [
    [
      'is not there',
      { device: 'veth', name: 'none' },
      /the interface none cannot be used: there is none of that name/,
    ],
    ['is no Ethernet', { device: 'veth', name: 'lo' }, /the interface lo is no Ethernet/],
    ['is down', { device: 'veth', name: 'down' }, /the interface down is down: "ip link set down up"/],
    ['has no name', { device: 'tun', name: '' }, /no name of an interface/],
    ['has a name that is too long', { device: 'tun', name: 'x'.repeat(16) }, /no name of an interface/],
  ];
  for (const [why, options, message] of tries)
    it(`says so when it ${why}`, () => {
      if (options.name === 'down') place?.ip('link add name down type veth peer name other');
      const open = () => openHost({ device: 'veth', addresses: ['198.18.252.2/24'], ...options });
      throws(() => place?.run(open), { name: 'DeviceError', message });
    });

  it('needs a name, and addresses', () => {
    throws(() => openHost({ device: 'tun', addresses: ['198.18.252.2'] }), /needs the name/);
    throws(() => openHost({ device: 'tun', name: 'tun0', addresses: [] }), /an address at least/);
  });
});
