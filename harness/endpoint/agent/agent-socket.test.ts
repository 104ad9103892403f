import { expect } from 'chai';
import { NANOS_PER_MS, NANOS_PER_SECOND, Timeline } from '../../clock/index.js';
import type { CallRecord } from '../call-record.js';
import { type Connection, SocketError, Unsupported, WaitTimeout } from '../endpoint.js';
import { rejection } from '../loopback-fixture.js';
import { AgentClient } from './agent-client.js';
import { AgentEndpoint } from './agent-endpoint.js';
import { AgentGone } from './agent-gone.js';
import { Status } from './agent-message.js';
import { MESSAGE_FLAGS, REQUESTS, stackError } from './agent-requests.js';
import { encodeField, u32 } from './octet-fields.js';
import { ScriptedAgent, turn } from './scripted-agent-fixture.js';

const HERE = { ip: '192.0.2.1', port: 40001 };
const THERE = { ip: '192.0.2.2', port: 80 };

/** What an agent does is by hand here, and time is moved by hand. */
describe('a socket behind an agent', () => {
  let agent: ScriptedAgent;
  let timeline: Timeline;
  let calls: CallRecord[];
  let endpoint: AgentEndpoint;

  beforeEach(() => {
    agent = new ScriptedAgent();
    timeline = new Timeline();
    calls = [];
    endpoint = new AgentEndpoint({
      client: new AgentClient(agent),
      side: 'client',
      ip: HERE.ip,
      clock: timeline,
      log: (record) => calls.push(record),
      stack: 'other@1',
    });
  });

  async function open(handle = 1, options = {}): Promise<Connection> {
    const opening = endpoint.open(THERE, options);
    await turn();
    agent.answer('SOCKET', {}, handle);
    await turn();
    agent.answer('CONNECT', { local: HERE });
    return opening;
  }

  async function established(): Promise<Connection> {
    const connection = await open();
    agent.answer('ESTABLISHED', { local: HERE });
    await connection.established;
    return connection;
  }

  /** Moves time to the next thing that was to happen. */
  async function step(): Promise<void> {
    timeline.step();
    await turn();
  }

  const results = (call: string) => calls.filter((each) => each.call === call).map(({ result }) => result);

  it('opens in two frames, of which the second asks for the end of the opening', async () => {
    const connection = await established();
    expect(agent.sent.map((frame) => frame.length)).to.deep.equal([1, 2]);
    expect(agent.names).to.deep.equal(['SOCKET', 'CONNECT', 'ESTABLISHED']);
    expect(connection.local).to.deep.equal(HERE);
  });

  it('is not established when the stack refuses to begin', async () => {
    const opening = endpoint.open(THERE);
    await turn();
    agent.answer('SOCKET', {}, 1);
    await turn();
    const payload = encodeField(stackError, { errno: 'ENETUNREACH', detail: '' });
    agent.reply(agent.last('CONNECT'), { status: Status.stackError, payload });
    agent.reply(agent.last('ESTABLISHED'), { status: Status.stackError, payload });
    const connection = await opening;
    expect(await rejection(connection.established))
      .to.be.instanceOf(SocketError)
      .with.property('errno', 'ENETUNREACH');
    expect(connection.local).to.deep.equal({ ip: '0.0.0.0', port: 0 });
    expect(results('connect')).to.deep.equal([{ kind: 'error', errno: 'ENETUNREACH' }]);
  });

  it('takes a call back when its limit is up, at that very time, and tells when it had the answer', async () => {
    const connection = await established();
    const receiving = rejection(connection.receive({ withinMs: 1500 }));
    await turn();
    const { id } = agent.last('RECEIVE');
    timeline.step();
    expect([timeline.now(), agent.last('CANCEL').body]).to.deep.equal([1500 * NANOS_PER_MS, { id }]);
    timeline.at(2 * NANOS_PER_SECOND, () => agent.reply(agent.last('RECEIVE'), { status: Status.cancelled }));
    await step();
    expect(await receiving)
      .to.be.instanceOf(WaitTimeout)
      .with.property('withinMs', 1500);
    expect(calls.at(-1)).to.deep.include({
      atNs: 0,
      returnedNs: 2 * NANOS_PER_SECOND,
      result: { kind: 'timeout', withinMs: 1500 },
    });
  });

  it('lets an answer count that comes before the request is taken back', async () => {
    const connection = await established();
    const receiving = connection.receive({ withinMs: 10 });
    await turn();
    timeline.step();
    agent.answer('RECEIVE', { isEnd: false, data: Uint8Array.of(7) });
    agent.answer('CANCEL', { wasWaiting: false });
    expect(await receiving).to.deep.equal({ kind: 'data', data: Uint8Array.of(7) });
  });

  it('leaves no timer behind when a call was answered', async () => {
    const connection = await established();
    const receiving = connection.receive();
    await turn();
    agent.answer('RECEIVE', { isEnd: true, data: new Uint8Array() });
    await receiving;
    expect(timeline.nextNs()).to.equal(Number.POSITIVE_INFINITY);
  });

  it('sends what is longer than a message in pieces, one after the other and without a push between them', async () => {
    const connection = await established();
    const data = Uint8Array.from({ length: 600_000 }, (_, i) => i % 251);
    const sending = connection.send(data, { flags: ['OOB'] });
    const pieces: Uint8Array[] = [];
    const flags: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      await turn();
      const { body } = agent.last('SEND');
      pieces.push(body.data);
      flags.push(body.flags);
      agent.answer('SEND', { octets: body.data.length });
    }
    expect(await sending).to.equal(600_000);
    expect(Buffer.concat(pieces).equals(Buffer.from(data))).to.equal(true);
    expect(flags).to.deep.equal([MESSAGE_FLAGS.MORE, MESSAGE_FLAGS.MORE, MESSAGE_FLAGS.OOB]);
    expect(agent.names.filter((name) => name === 'SEND')).to.have.length(3);
    expect(results('send')).to.deep.equal([{ kind: 'ok', value: 600_000 }]);
  });

  it('gives the octets that were taken when the limit is up, over all pieces', async () => {
    const connection = await established();
    const sending = connection.send(new Uint8Array(300_000), { withinMs: 5 });
    await turn();
    const first = agent.last('SEND').body.data.length;
    agent.answer('SEND', { octets: first });
    await step();
    agent.reply(agent.last('SEND'), { status: Status.cancelled, payload: encodeField(u32, 11) });
    expect(await sending).to.equal(first + 11);
  });

  it('sends no further piece when the limit was up as the last was taken', async () => {
    const connection = await established();
    const sending = connection.send(new Uint8Array(300_000), { withinMs: 5 });
    await turn();
    timeline.step();
    const { length } = agent.last('SEND').body.data;
    agent.answer('SEND', { octets: length });
    expect(await sending).to.equal(length);
  });

  it('does not go on where an agent takes nothing and calls it success', async () => {
    const connection = await established();
    const sending = connection.send('abc');
    await turn();
    agent.answer('SEND', { octets: 0 });
    expect(await sending).to.equal(0);
  });

  it('rejects a send of which nothing was taken', async () => {
    const connection = await established();
    const sending = rejection(connection.send('x', { withinMs: 5 }));
    await turn();
    await step();
    agent.reply(agent.last('SEND'), { status: Status.cancelled, payload: encodeField(u32, 0) });
    expect(await sending).to.be.instanceOf(WaitTimeout);
  });

  it('gives what was taken before the buffer was full when it may not wait', async () => {
    const connection = await established();
    const sending = connection.send(new Uint8Array(300_000), { flags: ['DONTWAIT'] });
    await turn();
    const { length } = agent.last('SEND').body.data;
    agent.answer('SEND', { octets: length });
    await turn();
    const payload = encodeField(stackError, { errno: 'EAGAIN', detail: '' });
    agent.reply(agent.last('SEND'), { status: Status.stackError, payload });
    expect(await sending).to.equal(length);
  });

  it('records a close before the calls that end with it, though the agent answers them before', async () => {
    const connection = await established();
    const receiving = rejection(connection.receive());
    const closing = connection.close();
    await turn();
    const payload = encodeField(stackError, { errno: 'EBADF', detail: 'closed meanwhile' });
    agent.reply(agent.last('RECEIVE'), { status: Status.stackError, payload });
    await turn();
    agent.answer('CLOSE', {});
    await closing;
    expect(await receiving).to.have.property('errno', 'EBADF');
    expect(calls.slice(-2).map(({ call, result }) => [call, result.kind])).to.deep.equal([
      ['close', 'ok'],
      ['receive', 'error'],
    ]);
    expect(timeline.nextNs()).to.equal(Number.POSITIVE_INFINITY);
  });

  it('does not let those who wait at a socket wait for its linger time', async () => {
    const connection = await established();
    const lingering = connection.setOption('SO_LINGER', 30);
    await turn();
    agent.answer('SET_OPTION', {});
    await lingering;
    const receiving = rejection(connection.receive());
    const closing = connection.close();
    expect(await receiving).to.have.property('errno', 'EBADF');
    expect(results('close')).to.deep.equal([]);
    agent.answer('CLOSE', {});
    await closing;
    expect(results('close')).to.deep.equal([{ kind: 'ok' }]);
  });

  it('takes the linger time away before it disposes of a socket, without a word', async () => {
    const connection = await established();
    const lingering = connection.setOption('SO_LINGER', 30);
    await turn();
    agent.answer('SET_OPTION', {});
    await lingering;
    const recorded = calls.length;
    const disposing = connection[Symbol.asyncDispose]();
    await turn();
    expect(agent.last('SET_OPTION').body).to.deep.equal({
      name: 'SO_LINGER',
      value: { kind: 'number', number: -1 },
    });
    agent.answer('SET_OPTION', {});
    agent.answer('CLOSE', {});
    await disposing;
    expect(calls.length).to.equal(recorded);
  });

  it('gives a connection away that comes when nobody accepts any more', async () => {
    const listening = endpoint.listen({ options: { SO_LINGER: 1 } });
    await turn();
    agent.answer('SOCKET', {}, 1);
    for (const name of ['SET_OPTION', 'BIND', 'LISTEN'] as const) {
      await turn();
      if (name === 'SET_OPTION') agent.answer(name, {});
      else agent.answer(name, { local: HERE });
    }
    const listener = await listening;
    const accepting = rejection(listener.accept());
    listener.close().catch(() => {});
    await turn();
    agent.answer('ACCEPT', { socket: 9, local: HERE, remote: THERE });
    await turn();
    expect(await accepting).to.have.property('errno', 'EBADF');
    expect(agent.last('ABORT').handle).to.equal(9);
  });

  it('tells no more of a connection than a stack without TCP_INFO does', async () => {
    const connection = await established();
    const state = connection.state();
    await turn();
    agent.answer('INFO', { kind: 0, state: 7, octets: new Uint8Array() });
    expect(await state).to.equal('FIN-WAIT-2');
    for (const ask of [() => connection.info(), () => connection.state()]) {
      const asked = rejection(ask());
      await turn();
      agent.answer('INFO', { kind: 0, state: 0, octets: new Uint8Array() });
      expect(await asked).to.be.instanceOf(Unsupported);
    }
  });

  it('reads unsigned numbers of 64 bits from signed ones', async () => {
    const connection = await established();
    const rate = connection.getOption('SO_MAX_PACING_RATE');
    await turn();
    agent.answer('GET_OPTION', { value: { kind: 'number', number: -1 } });
    expect(await rate).to.equal(2 ** 64);
  });

  it('asks the agent nothing that it cannot mean', async () => {
    const connection = await established();
    const asked = agent.names.length;
    expect(await rejection(connection.setOption('TCP_NODELAY', 'yes'))).to.be.instanceOf(RangeError);
    expect(await rejection(connection.setOption('TCP_NO_DELAY', 1))).to.be.instanceOf(RangeError);
    expect(await rejection(connection.receive({ max: 0 }))).to.be.instanceOf(RangeError);
    expect(agent.names.length).to.equal(asked);
  });

  it('aborts at its end whatever is open, also what is being made, without a word', async () => {
    await established();
    const recorded = calls.length;
    const opening = rejection(endpoint.open(THERE));
    await turn();
    const ending = endpoint[Symbol.asyncDispose]();
    await turn();
    expect(agent.last('ABORT').handle).to.equal(1);
    agent.answer('ABORT', {});
    await ending;
    agent.answer('SOCKET', {}, 2);
    await turn();
    expect(agent.last('CLOSE').handle).to.equal(2);
    agent.answer('CLOSE', {});
    expect(await opening).to.have.property('errno', 'EBADF');
    expect(calls.length).to.equal(recorded);
  });

  it('rejects all that waits with one sentence when the agent is gone, and records none of it', async () => {
    const connection = await established();
    const recorded = calls.length;
    const waiting = [connection.receive(), connection.send('x'), connection.close()].map(rejection);
    await turn();
    agent.end('its guest is gone');
    const errors = await Promise.all(waiting);
    expect(new Set(errors.map(String))).to.deep.equal(
      new Set(['AgentGone: the agent is gone: its guest is gone']),
    );
    expect(await rejection(endpoint.open(THERE))).to.be.instanceOf(AgentGone);
    await endpoint[Symbol.asyncDispose]();
    expect(calls.length).to.equal(recorded);
    expect(timeline.nextNs()).to.equal(Number.POSITIVE_INFINITY);
  });

  it('numbers sockets in the order in which they were made', async () => {
    await open(17);
    await open(4);
    expect(calls.map(({ socket }) => socket)).to.deep.equal([]);
    for (const request of agent.sent.flat().filter(({ type }) => type === REQUESTS.ESTABLISHED.type)) {
      agent.reply(request, { payload: encodeField(REQUESTS.ESTABLISHED.reply, { local: HERE }) });
    }
    await turn();
    expect(calls.map(({ socket }) => socket)).to.deep.equal([1, 2]);
  });
});
