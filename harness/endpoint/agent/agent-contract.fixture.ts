/** For tests: what docs/agent-protocol.md asks of every agent that drives sockets, whoever wrote it. */
import { expect } from 'chai';
import { SocketError, WaitTimeout } from '../endpoint.js';
import { rejection } from '../loopback-fixture.js';
import type { AgentClient } from './agent-client.js';
import type { AgentEndpoint } from './agent-endpoint.js';
import type { AgentEvent } from './agent-events.js';

export interface ContractPlace {
  readonly client: AgentClient;
  /** Of the host that the agent drives the sockets of: they reach each other at it. */
  readonly ip: string;
  readonly endpoint: (side: 'client' | 'server') => AgentEndpoint;
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

export function keepsTheProtocol(place: () => ContractPlace): void {
  it('tells what becomes so of watched sockets', async () => {
    const { client, ip } = place();
    const events: string[] = [];
    const watch = (socket: number, who: string) =>
      client.watch(socket, ['acceptable', 'readable', 'end', 'error', 'state'], (event: AgentEvent) => {
        const more = event.kind === 'error' ? event.errno : event.kind === 'state' ? event.state : '';
        events.push(`${who} ${event.kind} ${more}`.trim());
      });
    const socket = async () => (await client.request('SOCKET', { body: { family: 4, namespace: 0 } })).handle;
    const listener = await socket();
    await client.request('BIND', { handle: listener, body: { address: { ip: ip, port: 0 } } });
    const { local } = await client.request('LISTEN', { handle: listener, body: { backlog: 1 } });
    await watch(listener, 'listener');
    const active = await socket();
    await client.request('CONNECT', { handle: active, body: { address: local } });
    await client.request('ESTABLISHED', { handle: active, body: {} });
    const { socket: passive } = await client.request('ACCEPT', { handle: listener, body: {} });
    await watch(passive, 'passive');
    await client.request('SEND', { handle: active, body: { flags: 0, data: Uint8Array.of(1) } });
    await until(() => events.includes('passive readable'));
    await client.request('SHUTDOWN', { handle: active, body: { how: 2 } });
    await until(() => events.includes('passive end'));
    await watch(active, 'active');
    await client.request('ABORT', { handle: passive, body: {} });
    await until(() => events.some((event) => event.startsWith('active error')));
    expect(events).to.include.members([
      'listener state LISTEN',
      'listener acceptable',
      'passive state ESTABLISHED',
      'passive state CLOSE-WAIT',
      'active error ECONNRESET',
    ]);
  });

  it('calls what makes no sense a bad request, and goes on', async () => {
    const { client } = place();
    for (const asked of [
      client.request('CLOSE', { handle: 4711, body: {} }),
      client.request('SOCKET', { body: { family: 9, namespace: 0 } }),
      client.request('SOCKET', { body: { family: 4, namespace: 99 } }),
    ]) {
      const error = await rejection(asked);
      expect(error).to.be.instanceOf(Error).and.not.instanceOf(SocketError);
      expect(String(error)).to.include('a bad request: ');
    }
    expect(await client.hello()).to.have.property('version', 1);
  });

  it('takes waiting calls back one by one, of several that wait for the same', async () => {
    const here = place().endpoint('client');
    const listener = await here.listen();
    const active = await here.connect(listener.local);
    const passive = await listener.accept();
    const short = rejection(passive.receive({ withinMs: 5 }));
    const long = passive.receive();
    expect(await short).to.be.instanceOf(WaitTimeout);
    await active.send('x');
    expect(await long).to.have.property('kind', 'data');
    expect(await rejection(listener.accept({ withinMs: 1 }))).to.be.instanceOf(WaitTimeout);
    await here[Symbol.asyncDispose]();
  });

  it('aborts what an endpoint leaves open: the other end sees a reset', async () => {
    const [here, there] = [place().endpoint('client'), place().endpoint('server')];
    const listener = await there.listen();
    await here.connect(listener.local);
    const passive = await listener.accept();
    await here[Symbol.asyncDispose]();
    expect(await rejection(passive.receive())).to.have.property('errno', 'ECONNRESET');
    await there[Symbol.asyncDispose]();
  });
}
