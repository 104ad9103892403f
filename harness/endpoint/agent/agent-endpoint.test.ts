import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { NANOS_PER_MS, RealClock } from '../../clock/index.js';
import {
  attribute,
  concatBytes,
  NetworkNamespace,
  NLM_F_ACK,
  NLM_F_DUMP,
  requestMessage,
  takeAnswers,
} from '../../sys/index.js';
import type { CallRecord } from '../call-record.js';
import { Unsupported } from '../endpoint.js';
import { rejection } from '../loopback-fixture.js';
import { AgentClient } from './agent-client.js';
import { keepsTheProtocol } from './agent-contract.fixture.js';
import { AgentEndpoint } from './agent-endpoint.js';
import { agentFile, needsAgent } from './agent-fixture.js';
import { AgentGone } from './agent-gone.js';
import { openStdioAgent } from './stdio-agent.js';

const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const IFLA_IFNAME = 3;
const IFF_UP = 1;
const LOOPBACK = { ip: '127.0.0.1', index: 1 } as const;

/** `struct ifinfomsg` of a link that is to be up. */
const loopbackUp = concatBytes(
  new Uint8Array([0, 0, 0, 0]),
  new Uint8Array(Int32Array.of(LOOPBACK.index, IFF_UP, IFF_UP).buffer),
);

describe('the agent over a child’s stdio', () => {
  let namespace: NetworkNamespace;
  let client: AgentClient;
  const clock = new RealClock(process.hrtime.bigint());
  const calls: CallRecord[] = [];

  const endpoint = (place: { namespace?: number; side?: 'client' | 'server' } = {}) =>
    new AgentEndpoint({
      client,
      side: 'client',
      ip: LOOPBACK.ip,
      clock,
      log: (record) => calls.push(record),
      stack: 'linux@6.12',
      ...place,
    });

  async function bringUp(handle: number): Promise<void> {
    const request = { type: RTM_NEWLINK, flags: NLM_F_ACK, body: loopbackUp, what: 'bring lo up' };
    const answer = await client.netlink(handle, NETLINK_ROUTE, requestMessage(request, 1));
    expect(takeAnswers(answer, request).isWhole).to.equal(true);
  }

  before(needsAgent);
  beforeEach(async () => {
    namespace = NetworkNamespace.create();
    client = new AgentClient(namespace.run(() => openStdioAgent(agentFile())));
    await bringUp(0);
  });
  afterEach(() => {
    client.close();
    namespace[Symbol.dispose]();
  });

  it('says who it is', async () => {
    const { version, capabilities, mostSockets, stack, system } = await client.hello();
    expect(version).to.equal(1);
    expect(stack).to.match(/^linux@\d+\.\d+/);
    expect(system).to.include('Linux');
    expect(mostSockets).to.be.greaterThan(1000);
    expect(capabilities).to.include({ namespaces: true, netlink: true, files: true, tcpInfo: true });
  });

  it('keeps network namespaces apart, each with sockets of its own', async () => {
    const made = await client.newNamespace();
    expect(made.fd).to.be.greaterThan(2);
    await bringUp(made.handle);
    const [here, there] = [endpoint(), endpoint({ namespace: made.handle })];
    const listener = await there.listen({ port: 4000 });
    expect(await rejection(here.connect(listener.local))).to.have.property('errno', 'ECONNREFUSED');
    await there.connect(listener.local);
    await there[Symbol.asyncDispose]();
    await client.freeNamespace(made.handle);
    expect(String(await rejection(client.freeNamespace(made.handle)))).to.include('bad request');
  });

  it('asks netlink, and gives all datagrams of a dump', async () => {
    const request = {
      type: RTM_GETLINK,
      flags: NLM_F_DUMP,
      body: new Uint8Array(16),
      what: 'list the links',
    };
    const answer = await client.netlink(0, NETLINK_ROUTE, requestMessage(request, 1));
    const { answers, isWhole } = takeAnswers(answer, request);
    expect(isWhole).to.equal(true);
    const name = Buffer.from(attribute(IFLA_IFNAME, new TextEncoder().encode('lo\0')).subarray(0, 7));
    expect(answers.some(({ body }) => Buffer.from(body).includes(name))).to.equal(true);
  });

  it('reads and writes files and settings, a namespace’s own where it has them', async () => {
    const path = '/proc/sys/net/ipv4/tcp_fin_timeout';
    const { handle } = await client.newNamespace();
    await client.writeFile(handle, path, '7');
    const read = async (of: number) => new TextDecoder().decode(await client.readFile(of, path)).trim();
    expect([await read(handle), await read(0)]).to.deep.equal(['7', '60']);
    expect(await rejection(client.readFile(0, '/nowhere'))).to.include({ errno: 'ENOENT', call: 'open' });
    expect(await rejection(client.writeFile(handle, path, 'many'))).to.include({
      errno: 'EINVAL',
      call: 'write',
    });
  });

  it('reads a file by chunks up to its end, and a longer one than a message takes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lastack-agent-file-'));
    try {
      const path = join(folder, 'long');
      const file = await client.open(0, path, ['read', 'write', 'create']);
      const line = `${'x'.repeat(999)}\n`;
      for (let i = 0; i < 700; i += 1) expect(await client.write(file, Buffer.from(line))).to.equal(1000);
      await client.closeFile(file);
      expect(String(await rejection(client.closeFile(file)))).to.include('bad request');
      expect(Buffer.from(await client.readFile(0, path)).toString()).to.equal(line.repeat(700));
      const again = await client.open(0, path, 'read');
      const chunks = await client.read(again, 1000);
      expect(new Set(chunks.map(({ length }) => length))).to.deep.equal(new Set([1000]));
      expect(chunks.length).to.be.greaterThan(100);
      await client.writeFile(0, path, 'short');
      expect(readFileSync(path, 'utf8')).to.equal('short');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says "unsupported" to what it does not have', async () => {
    const socket = (await client.request('SOCKET', { body: { family: 4, namespace: 0 } })).handle;
    const body = { name: 'TCP_OF_TOMORROW', kind: 0 };
    expect(await rejection(client.request('GET_OPTION', { handle: socket, body }))).to.be.instanceOf(
      Unsupported,
    );
    const { capabilities } = await client.hello();
    if (!capabilities.sockets)
      expect(await rejection(client.request('SOCKETS', { body: {} }))).to.be.instanceOf(Unsupported);
  });

  keepsTheProtocol(() => ({ client, ip: LOOPBACK.ip, endpoint: (side) => endpoint({ side }) }));
});

describe('the end of an agent', () => {
  let folder: string | undefined;
  const clock = new RealClock(process.hrtime.bigint());
  before(function () {
    needsAgent.call(this);
    folder = mkdtempSync(join(tmpdir(), 'lastack-agent-end-'));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  /** An agent whose process id we know. */
  async function start(): Promise<{ client: AgentClient; pid: number }> {
    const file = join(folder ?? '', 'pid');
    const client = new AgentClient(openStdioAgent('sh', ['-c', `echo $$ >'${file}'; exec '${agentFile()}'`]));
    await client.hello();
    return { client, pid: Number(readFileSync(file, 'utf8')) };
  }

  it('rejects everything pending with one sentence when it is killed', async () => {
    const { client, pid } = await start();
    const records: CallRecord[] = [];
    const endpoint = new AgentEndpoint({
      client,
      side: 'client',
      ip: '127.0.0.1',
      clock,
      log: (record) => records.push(record),
      stack: 'linux@6.12',
    });
    const listener = await endpoint.listen();
    const waiting = [rejection(listener.accept()), rejection(listener.accept())];
    await client.hello();
    process.kill(pid, 'SIGKILL');
    const errors = await Promise.all([...waiting, rejection(client.hello())]);
    for (const error of errors) expect(error).to.be.instanceOf(AgentGone);
    expect(new Set(errors.map(String))).to.deep.equal(
      new Set(['AgentGone: the agent is gone: its process was ended by SIGKILL']),
    );
    expect(records.map(({ call }) => call)).to.deep.equal(['listen']);
  });

  it('comes with the end of its channel', async () => {
    const { client, pid } = await start();
    const pending = rejection(client.hello());
    client.close();
    expect(String(await pending)).to.equal(
      'AgentGone: the agent is gone: the harness has closed the way to it',
    );
    while (existsSync(`/proc/${pid}`))
      await new Promise<void>((resolve) => clock.at(clock.now() + NANOS_PER_MS, resolve));
  });

  it('tells with which code it ended, and what it complained of', async () => {
    const client = new AgentClient(openStdioAgent(agentFile(), ['--nonsense']));
    expect(String(await rejection(client.hello()))).to.match(
      /^AgentGone: the agent is gone: its process ended with code 2 and said "usage: .*"$/,
    );
  });

  it('tells that there is no such program', async () => {
    const client = new AgentClient(openStdioAgent('/nowhere/agent'));
    expect(String(await rejection(client.hello()))).to.include('"/nowhere/agent" cannot be run: ');
  });
});
