import { expect } from 'chai';
import fc from 'fast-check';
import { decodeEvent, encodeEvent } from './agent-events.js';
import {
  type AgentMessage,
  EVENT_TYPE,
  encodeMessage,
  MessageDecoder,
  MOST_OCTETS,
} from './agent-message.js';
import { type OptionValue, REQUESTS, type RequestName } from './agent-requests.js';
import { decodeField, encodeField, type Field, i64, Malformed } from './octet-fields.js';

const number = (bits: 8 | 16 | 32) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const octets = fc.uint8Array({ maxLength: 300 });
const words = fc.string({ unit: 'grapheme', maxLength: 100 });
const none = fc.constant({});
const address = fc.record({
  ip: fc.oneof(
    fc.ipV4(),
    fc.constantFrom('::', '::1', 'fd00::1:2', '2001:db8:1:2:3:4:5:6', '::ffff:1.2.3.4'),
  ),
  port: number(16),
});
const local = fc.record({ local: address });
const taken = fc.record({ octets: number(32) });
const value: fc.Arbitrary<OptionValue> = fc.oneof(
  fc.record({ kind: fc.constant('number' as const), number: fc.maxSafeInteger() }),
  fc.record({ kind: fc.constant('text' as const), text: words }),
  fc.record({ kind: fc.constant('octets' as const), octets }),
);

const BODIES: Readonly<Record<RequestName, readonly [fc.Arbitrary<unknown>, fc.Arbitrary<unknown>]>> = {
  HELLO: [
    fc.record({ lowest: number(16), highest: number(16) }),
    fc.record({
      version: number(16),
      capabilities: number(32),
      mostOctets: number(32),
      mostSockets: number(32),
      stack: words,
      system: words,
    }),
  ],
  SOCKET: [fc.record({ family: number(8), namespace: number(32) }), none],
  BIND: [fc.record({ address }), local],
  LISTEN: [fc.record({ backlog: number(32) }), local],
  CONNECT: [fc.record({ address }), local],
  ESTABLISHED: [none, local],
  ACCEPT: [none, fc.record({ socket: number(32), local: address, remote: address })],
  SEND: [fc.record({ flags: number(16), data: octets }), taken],
  RECEIVE: [
    fc.record({ most: number(32), flags: number(16) }),
    fc.record({ isEnd: fc.boolean(), data: octets }),
  ],
  SHUTDOWN: [fc.record({ how: number(8) }), none],
  CLOSE: [none, none],
  ABORT: [none, none],
  SET_OPTION: [fc.record({ name: words, value }), none],
  GET_OPTION: [fc.record({ name: words, kind: number(8) }), fc.record({ value })],
  INFO: [none, fc.record({ kind: number(8), state: number(8), octets })],
  QUEUES: [none, fc.record({ recvOctets: number(32), sendOctets: number(32), unsentOctets: number(32) })],
  AT_MARK: [none, fc.record({ isAtMark: fc.boolean() })],
  ERROR: [none, fc.record({ errno: words })],
  POLL: [none, fc.record({ events: number(8) })],
  WATCH: [fc.record({ events: number(8) }), none],
  CANCEL: [fc.record({ id: number(32) }), fc.record({ wasWaiting: fc.boolean() })],
  SOCKETS: [
    none,
    fc.record({
      sockets: fc.array(
        fc.record({
          state: number(8),
          local: address,
          remote: address,
          recvOctets: number(32),
          sendOctets: number(32),
          timer: number(8),
          remainsMs: number(32),
          retransmits: number(32),
        }),
      ),
    }),
  ],
  NAMESPACE_NEW: [none, fc.record({ fd: fc.integer() })],
  NAMESPACE_FREE: [none, none],
  NETLINK: [
    fc.record({ namespace: number(32), protocol: number(16), message: octets }),
    fc.record({ answer: octets }),
  ],
  OPEN: [fc.record({ namespace: number(32), flags: number(16), path: words }), none],
  READ: [fc.record({ most: number(32) }), fc.record({ chunks: fc.array(octets) })],
  WRITE: [fc.record({ octets }), taken],
  CLOSE_FILE: [none, none],
};

const message: fc.Arbitrary<AgentMessage> = fc.record(
  { type: number(16), status: number(16), id: number(32), handle: number(32), payload: octets },
  { noNullPrototype: true },
);

/** What fast-check makes has no prototype now and then. */
const plain = (made: unknown): unknown =>
  made instanceof Uint8Array || typeof made !== 'object' || made === null
    ? made
    : Array.isArray(made)
      ? made.map(plain)
      : Object.fromEntries(Object.entries(made).map(([name, each]) => [name, plain(each)]));

describe('the agent protocol’s payloads', () => {
  for (const [name, [request, reply]] of Object.entries(BODIES)) {
    it(`come back from octets as they were: ${name}`, () => {
      const row = REQUESTS[name as RequestName];
      fc.assert(
        fc.property(request, reply, (asked, answered) => {
          for (const [field, made] of [
            [row.request, asked],
            [row.reply, answered],
          ] as const) {
            const body = plain(made);
            expect(
              decodeField(field as Field<unknown>, encodeField(field as Field<unknown>, body)),
            ).to.deep.equal(body);
          }
        }),
        { numRuns: 50 },
      );
    });
  }

  it('have the octets that the protocol’s page says', () => {
    const body = { name: 'IP_TTL', value: { kind: 'number', number: -2 } } as const;
    expect(Buffer.from(encodeField(REQUESTS.SET_OPTION.request, body)).toString('hex')).to.equal(
      `0006${Buffer.from('IP_TTL').toString('hex')}01fffffffffffffffe`,
    );
    const to = { address: { ip: '::1', port: 258 } };
    expect(Buffer.from(encodeField(REQUESTS.CONNECT.request, to)).toString('hex')).to.equal(
      `06${'00'.repeat(15)}010102`,
    );
  });

  it('keep numbers beyond 2^53 as near as JavaScript’s numbers are', () => {
    expect(decodeField(i64, new Uint8Array(8).fill(0xff))).to.equal(-1);
    expect(decodeField(i64, encodeField(i64, 2 ** 62))).to.equal(2 ** 62);
  });

  it('are refused when they have too few octets or too many', () => {
    const { reply } = REQUESTS.QUEUES;
    expect(() => decodeField(reply, new Uint8Array(11))).to.throw(
      Malformed,
      '4 octets more were expected, and 3 are left',
    );
    expect(() => decodeField(reply, new Uint8Array(13))).to.throw(Malformed, '1 octets are too many');
  });

  it('are refused when a family of addresses or a kind of value is none', () => {
    expect(() => decodeField(REQUESTS.BIND.reply, Uint8Array.of(5, 0, 0))).to.throw(Malformed, 'family 5');
    expect(() => decodeField(REQUESTS.GET_OPTION.reply, Uint8Array.of(9))).to.throw(Malformed, 'kind 9');
  });
});

describe('the stream of messages', () => {
  it('is cut at the same places however it arrives', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(40)), (messages, cuts) => {
        const stream = new Uint8Array(Buffer.concat(messages.map(encodeMessage)));
        const decoder = new MessageDecoder();
        const got: AgentMessage[] = [];
        let at = 0;
        for (const cut of cuts) {
          got.push(...decoder.take(stream.subarray(at, at + cut)));
          at += cut;
        }
        got.push(...decoder.take(stream.subarray(at)));
        expect(got).to.deep.equal(messages);
      }),
    );
  });

  it('takes the longest message there is, and refuses to write a longer one', () => {
    const longest = {
      type: 1,
      status: 0,
      id: 1,
      handle: 0,
      payload: new Uint8Array(MOST_OCTETS - 12).fill(3),
    };
    expect([...new MessageDecoder().take(encodeMessage(longest))]).to.deep.equal([longest]);
    const tooLong = { ...longest, payload: new Uint8Array(MOST_OCTETS - 11) };
    expect(() => encodeMessage(tooLong)).to.throw(RangeError, `${MOST_OCTETS + 1} octets`);
  });

  for (const length of [0, 11, MOST_OCTETS + 1, 0xffff_ffff]) {
    it(`cannot go on behind a length of ${length}`, () => {
      const octets = new Uint8Array(4);
      new DataView(octets.buffer).setUint32(0, length);
      expect(() => [...new MessageDecoder().take(octets)]).to.throw(Malformed, `${length} octets`);
    });
  }

  it('gives plain octets also where they came as a Buffer', () => {
    const sent = encodeMessage({ type: 1, status: 0, id: 1, handle: 0, payload: Uint8Array.of(1, 2) });
    const [got] = new MessageDecoder().take(Buffer.from(sent));
    expect(got?.payload).to.deep.equal(Uint8Array.of(1, 2));
    expect(Buffer.isBuffer(got?.payload)).to.equal(false);
  });
});

describe('the agent protocol’s events', () => {
  const transition = {
    atMonotonicNs: 2n ** 63n + 5n,
    local: { ip: '192.0.2.1', port: 80 },
    remote: { ip: '192.0.2.2', port: 40_000 },
    from: 'FIN-WAIT-2',
    to: 'TIME-WAIT',
    remainsNs: 60e9,
  } as const;

  for (const event of [
    { kind: 'acceptable' },
    { kind: 'readable' },
    { kind: 'end' },
    { kind: 'error', errno: 'ECONNRESET' },
    { kind: 'state', state: 'LAST-ACK' },
    { kind: 'transition', transition },
  ] as const)
    it(`come back from octets as they were: ${event.kind}`, () => {
      const message = { type: EVENT_TYPE, status: 0, id: 0, handle: 1, payload: encodeEvent(event) };
      expect(decodeEvent(message)).to.deep.equal(event);
    });

  it('are refused where they are between states that are none', () => {
    const payload = encodeEvent({ kind: 'transition', transition });
    payload[9] = 99;
    const message = { type: EVENT_TYPE, status: 0, id: 0, handle: 0, payload };
    expect(() => decodeEvent(message)).to.throw(Malformed, 'a state has number 99');
  });
});
