import { expect } from 'chai';
import { SocketError, Unsupported } from '../endpoint.js';
import { rejection } from '../loopback-fixture.js';
import { AgentClient } from './agent-client.js';
import type { AgentEvent } from './agent-events.js';
import { AgentGone } from './agent-gone.js';
import { EVENT_TYPE, encodeMessage, REPLY_BIT, Status } from './agent-message.js';
import { Cancelled } from './agent-replies.js';
import { REQUESTS, stackError } from './agent-requests.js';
import { encodeField, text, u32 } from './octet-fields.js';
import { ScriptedAgent, turn } from './scripted-agent-fixture.js';

const sentence = (words: string) => encodeField(text, words);

describe('the agent’s client', () => {
  let script: ScriptedAgent;
  let client: AgentClient;
  beforeEach(() => {
    script = new ScriptedAgent();
    client = new AgentClient(script);
  });

  it('lets the requests of one turn leave together, in their order', async () => {
    for (const handle of [4, 2, 7]) client.request('CLOSE', { handle, body: {} }).catch(() => {});
    expect(script.sent).to.deep.equal([]);
    await turn();
    expect(script.sent.map((each) => each.map(({ handle }) => handle))).to.deep.equal([[4, 2, 7]]);
  });

  it('gives each answer to who asked, in whatever order they come', async () => {
    const asked = [1, 2].map((handle) => client.request('ERROR', { handle, body: {} }));
    await turn();
    const [first, second] = script.sent.flat();
    script.reply(second, { payload: encodeField(REQUESTS.ERROR.reply, { errno: 'EPIPE' }) });
    script.reply(first, { payload: encodeField(REQUESTS.ERROR.reply, { errno: '' }) });
    expect((await Promise.all(asked)).map(({ errno }) => errno)).to.deep.equal(['', 'EPIPE']);
  });

  it('settles in the turn in which the answer comes', async () => {
    const heard: string[] = [];
    client.post(
      'CLOSE',
      { handle: 1, body: {} },
      { answered: () => heard.push('answered'), failed: () => {} },
    );
    await turn();
    script.reply(script.sent.flat()[0], {});
    expect(heard).to.deep.equal(['answered']);
  });

  const failures = [
    [Status.stackError, encodeField(stackError, { errno: 'EPERM', detail: '' }), SocketError, 'close: EPERM'],
    [
      Status.stackError,
      encodeField(stackError, { errno: 'EPERM', detail: 'no' }),
      SocketError,
      'close: EPERM (no)',
    ],
    [
      Status.unsupported,
      sentence('there is no such thing here'),
      Unsupported,
      'close: there is no such thing here',
    ],
    [Status.cancelled, encodeField(u32, 7), Cancelled, '7 octets'],
    [
      Status.badRequest,
      sentence('the handle is no socket’s'),
      Error,
      'calls close a bad request: the handle',
    ],
    [9, new Uint8Array(), Error, 'its status is 9'],
    [Status.ok, Uint8Array.of(1), Error, "the agent's answer to CLOSE makes no sense: 1 octets are too many"],
  ] as const;
  for (const [status, payload, kind, words] of failures) {
    it(`rejects a reply with status ${status}: ${words}`, async () => {
      const asked = rejection(client.request('CLOSE', { body: {} }));
      await turn();
      script.reply(script.sent.flat()[0], { status, payload });
      expect(await asked)
        .to.be.instanceOf(kind)
        .with.property('message')
        .that.includes(words);
    });
  }

  it('rejects everything that is pending with one sentence when the channel ends, and all that is asked later', async () => {
    const pending = [client.hello(), client.newNamespace(), client.readFile(0, '/x')].map(rejection);
    await turn();
    script.end('its process was ended by SIGKILL');
    const all = await Promise.all([...pending, rejection(client.freeNamespace(1))]);
    for (const error of all) expect(error).to.be.instanceOf(AgentGone);
    expect(new Set(all.map(String))).to.deep.equal(
      new Set(['AgentGone: the agent is gone: its process was ended by SIGKILL']),
    );
  });

  it('ends the channel behind what it cannot understand', async () => {
    const pending = rejection(client.hello());
    await turn();
    script.receive(Uint8Array.of(0, 0, 0, 3));
    expect(String(await pending)).to.include('a message says that it has 3 octets');
    expect(script.isClosed).to.equal(true);
  });

  it('ends the channel when an answer comes that nobody asked for', async () => {
    const pending = rejection(client.hello());
    await turn();
    script.receive(
      encodeMessage({ type: 1 | REPLY_BIT, status: 0, id: 99, handle: 0, payload: new Uint8Array() }),
    );
    expect(String(await pending)).to.include('it answers a request that was not made: type 32769, id 99');
    expect(script.isClosed).to.equal(true);
  });

  it('takes back at once what is still pending, and nothing else', async () => {
    const id = client.post('ACCEPT', { handle: 3, body: {} }, { answered: () => {}, failed: () => {} });
    client.cancel(id + 1);
    client.cancel(id);
    expect(script.sent.flat().map(({ type }) => type)).to.deep.equal([
      REQUESTS.ACCEPT.type,
      REQUESTS.CANCEL.type,
    ]);
    expect(script.sent.flat()[1]?.payload).to.deep.equal(encodeField(u32, id));
  });

  it('tells of watched sockets, of others nothing', async () => {
    const seen: AgentEvent[] = [];
    client.watch(5, ['readable', 'error', 'state'], (event) => seen.push(event)).catch(() => {});
    await turn();
    expect(script.sent.flat()[0]?.payload).to.deep.equal(Uint8Array.of(0b11010));
    const event = (handle: number, ...payload: number[]) =>
      script.receive(
        encodeMessage({ type: EVENT_TYPE, status: 0, id: 0, handle, payload: Uint8Array.from(payload) }),
      );
    event(6, 2);
    event(5, 2);
    event(5, 4, ...encodeField(text, 'ECONNRESET'));
    event(5, 5, 11);
    expect(seen).to.deep.equal([
      { kind: 'readable' },
      { kind: 'error', errno: 'ECONNRESET' },
      { kind: 'state', state: 'TIME-WAIT' },
    ]);
  });

  it('says what an agent can do, and sends it no longer messages than it takes', async () => {
    const asked = client.hello();
    await turn();
    const said = {
      version: 1,
      capabilities: 0b001010,
      mostOctets: 2000,
      mostSockets: 5,
      stack: 'x@1',
      system: 'X',
    };
    script.answer('HELLO', said);
    const { capabilities, mostSockets } = await asked;
    expect(mostSockets).to.equal(5);
    expect(Object.entries(capabilities).flatMap(([name, has]) => (has ? [name] : []))).to.deep.equal([
      'netlink',
      'tcpInfo',
    ]);
    expect(client.mostData).to.be.within(1900, 2000);
  });

  it('refuses an agent of another version', async () => {
    const asked = rejection(client.hello());
    await turn();
    const said = { version: 2, capabilities: 0, mostOctets: 1000, mostSockets: 5, stack: 'x', system: 'X' };
    script.answer('HELLO', said);
    expect(String(await asked)).to.include('version 2');
  });

  it('refuses an agent that has no room for messages', async () => {
    const asked = rejection(client.hello());
    await turn();
    script.answer('HELLO', {
      version: 1,
      capabilities: 0,
      mostOctets: 12,
      mostSockets: 5,
      stack: 'x',
      system: 'X',
    });
    expect(String(await asked)).to.include('messages of 12 octets');
  });
});
