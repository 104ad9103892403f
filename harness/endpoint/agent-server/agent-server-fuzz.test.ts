import { expect } from 'chai';
import { EVENT_TYPE, encodeMessage, MessageDecoder, REPLY_BIT, Status } from '../agent/agent-message.js';
import { REQUESTS } from '../agent/agent-requests.js';
import { decodeField, encodeField } from '../agent/octet-fields.js';
import { serveOwn } from './server.fixture.js';

const IP = '192.0.2.1';
const MESSAGES = 30_000;
const AT_ONCE = 50;
const TYPES = [...Object.values(REQUESTS).map(({ type }) => type), 0, 23, 99, 0x7ffe];
/** As often as all others together: what brings sockets to where something can wait at them. */
const { SOCKET, LISTEN, CONNECT, ACCEPT, ESTABLISHED, SEND, RECEIVE } = REQUESTS;
const FREQUENT = [SOCKET, LISTEN, CONNECT, ACCEPT, ESTABLISHED, SEND, RECEIVE].map(({ type }) => type);
const NAMES = ['SO_LINGER', 'TCP_NODELAY', 'TCP_CONGESTION', 'SO_RCVBUF', 'TCP_NOSUCH', 'SO_ERROR', ''];

/** Repeats from its seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Payloads that are right, nearly right, or wrong. */
function payloadFor(type: number, waiting: number, random: (below: number) => number): Uint8Array {
  const address = {
    ip: random(9) === 0 ? '::1' : IP,
    port: random(8) === 0 ? random(65_536) : 4000 + random(4),
  };
  const name = NAMES[random(NAMES.length)] ?? '';
  const number = random(3) === 0 ? 2 ** random(40) : random(4);
  const right: Readonly<Record<number, () => Uint8Array>> = {
    [REQUESTS.HELLO.type]: () =>
      encodeField(REQUESTS.HELLO.request, { lowest: random(3), highest: random(3) }),
    [REQUESTS.SOCKET.type]: () =>
      encodeField(REQUESTS.SOCKET.request, { family: 4, namespace: random(20) === 0 ? 1 : 0 }),
    [REQUESTS.BIND.type]: () => encodeField(REQUESTS.BIND.request, { address }),
    [REQUESTS.LISTEN.type]: () => encodeField(REQUESTS.LISTEN.request, { backlog: 2 ** random(33) - 1 }),
    [REQUESTS.CONNECT.type]: () => encodeField(REQUESTS.CONNECT.request, { address }),
    [REQUESTS.SEND.type]: () =>
      encodeField(REQUESTS.SEND.request, {
        flags: random(20),
        data: new Uint8Array(random(random(9) === 0 ? 200_000 : 50)),
      }),
    [REQUESTS.RECEIVE.type]: () =>
      encodeField(REQUESTS.RECEIVE.request, { most: random(100_000), flags: random(18) }),
    [REQUESTS.SHUTDOWN.type]: () => encodeField(REQUESTS.SHUTDOWN.request, { how: random(5) }),
    [REQUESTS.SET_OPTION.type]: () =>
      encodeField(REQUESTS.SET_OPTION.request, { name, value: { kind: 'number', number } }),
    [REQUESTS.GET_OPTION.type]: () => encodeField(REQUESTS.GET_OPTION.request, { name, kind: random(5) }),
    [REQUESTS.WATCH.type]: () => encodeField(REQUESTS.WATCH.request, { events: random(70) }),
    [REQUESTS.CANCEL.type]: () => encodeField(REQUESTS.CANCEL.request, { id: waiting }),
  };
  const payload = right[type]?.() ?? new Uint8Array();
  if (random(15) !== 0) return payload;
  const damaged = new Uint8Array(Math.max(payload.length + random(5) - 2, 0));
  damaged.set(payload.subarray(0, damaged.length));
  if (damaged.length > 0) damaged[random(damaged.length)] = random(256);
  return damaged;
}

describe('the agent for our own TCP under hostile input', () => {
  it('lives, answers each request once, and frees what was open', async function () {
    this.timeout(60_000);
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = numbers(seed);
    using place = serveOwn(IP);
    const decoder = new MessageDecoder();
    const open = new Map<number, number>();
    const statuses = new Map<number, number>();
    let highestHandle = 0;
    place.channel.onOctets((octets) => {
      for (const { type, status, id, handle } of decoder.take(octets)) {
        if (type === EVENT_TYPE) continue;
        expect(open.get(id), `seed ${seed}: an answer to ${id}`).to.equal(type & ~REPLY_BIT);
        open.delete(id);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === Status.ok && type === (REQUESTS.SOCKET.type | REPLY_BIT))
          highestHandle = Math.max(highestHandle, handle);
      }
    });
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    for (let id = 1; id <= MESSAGES; id += 1) {
      const types = random(2) === 0 ? TYPES : FREQUENT;
      const type = types[random(types.length)] ?? 0;
      const handle = random(30) === 0 ? random(2 ** 31) : Math.max(highestHandle - random(12), 0);
      const [waiting = 0] = open.keys();
      open.set(id, type);
      place.channel.send(
        encodeMessage({ type, status: 0, id, handle, payload: payloadFor(type, waiting, random) }),
      );
      if (id % AT_ONCE === 0) await turn();
    }
    // What still waits is answered when its socket is aborted; lingering closes by their time, which some have long.
    for (let handle = 1; handle <= highestHandle + 5000; handle += 1) {
      open.set(MESSAGES + handle, REQUESTS.ABORT.type);
      const payload = new Uint8Array();
      place.channel.send(
        encodeMessage({ type: REQUESTS.ABORT.type, status: 0, id: MESSAGES + handle, handle, payload }),
      );
    }
    for (let i = 0; i < 100; i += 1) await turn();
    const left = [...open].filter(([, type]) => type !== REQUESTS.CLOSE.type);
    expect(left, `seed ${seed}`).to.deep.equal([]);
    for (const status of Object.values(Status))
      expect(statuses.get(status), `seed ${seed}: status ${status}`).to.be.greaterThan(20);
    let listeners: number | undefined;
    place.channel.onOctets((octets) => {
      for (const { type, payload } of decoder.take(octets))
        if (type === (REQUESTS.SOCKETS.type | REPLY_BIT))
          listeners = decodeField(REQUESTS.SOCKETS.reply, payload).sockets.filter(
            ({ state }) => state === 2,
          ).length;
    });
    place.channel.send(
      encodeMessage({ type: REQUESTS.SOCKETS.type, status: 0, id: 1, handle: 0, payload: new Uint8Array() }),
    );
    for (let i = 0; i < 10; i += 1) await turn();
    expect(listeners, `seed ${seed}: listeners that are left`).to.equal(0);
  });
});
