/** Traces written by hand on which checks pass: each shows one situation. */
import { seqNumber, type TcpOption } from '../segment/index.js';
import { connectionOf, segmentsOf, type Trace, traceOf, traceWith } from '../trace/index.js';
import { addEvents, changeResults, changeSegments } from './alter.js';

export const OPENING = [
  'client connect() took 0.6',
  'client SYN-SENT',
  'client SYN',
  'server SYN-RECEIVED',
  'server SYN,ACK',
  'client ESTABLISHED',
  'client ACK',
  'server ESTABLISHED',
  'server accept()',
] as const;

export const EXCHANGE = [
  'client send(4)',
  'client PSH,ACK "ping"',
  'server ACK',
  'server receive() = 4',
  'server PSH,ACK "pong"',
  'client ACK',
  'client receive() = 4',
] as const;

export const FIRST_HALF = [
  '+1 client shutdown(write)',
  'client FIN-WAIT-1',
  'client FIN,ACK',
  'server CLOSE-WAIT',
  'server ACK',
  'client FIN-WAIT-2',
  'server receive() = end',
] as const;

export const SECOND_HALF = [
  '+5 server close()',
  'server LAST-ACK',
  'server FIN,ACK',
  'client TIME-WAIT',
  'client ACK',
  'server CLOSED',
  'client receive() = end',
] as const;

const END_OF_TIME_WAIT = '+60010 client CLOSED';

export const nothing = (): Trace => traceOf('mark nothing happens', '+5000 mark and goes on doing so');

export const opened = (...more: readonly string[]): Trace => traceOf(...OPENING, ...EXCHANGE, ...more);

export const closed = (): Trace => opened(...FIRST_HALF, ...SECOND_HALF, END_OF_TIME_WAIT);

/** SYNs with the options that Linux sends. */
export function withOptions(trace: Trace): Trace {
  const timestamps: TcpOption = { kind: 'timestamps', tsVal: 7, tsEcr: 3 };
  const offered: readonly TcpOption[] = [
    { kind: 'mss', mss: 1460 },
    { kind: 'sackPermitted' },
    timestamps,
    { kind: 'windowScale', shift: 7 },
  ];
  return changeSegments(trace, segmentsOf(trace), ({ flags }) => ({
    options: (flags & 2) !== 0 ? offered : [timestamps],
  }));
}

/** Five handshakes between different ports; the fixture's ISNs are all alike, so they are given others. */
export const fiveConnections = (): Trace => {
  const lines = [1, 2, 3, 4, 5].flatMap((n) => [`client#${n} SYN`, `server#${n} SYN,ACK`, `client#${n} ACK`]);
  const isns = [0x1234abcd, 0x9a0f1e2d, 0x00c0ffee, 0xdeadbeef, 0x55667788];
  const trace = traceOf(...lines);
  return changeSegments(trace, segmentsOf(trace, { has: 'SYN' }), (_, { facts }) => ({
    seq: seqNumber((isns[facts.flow - 1] ?? 0) ^ (facts.from === 'client' ? 0 : 0x5bd1e995 * facts.flow)),
  }));
};

export const dataOnThird = (): Trace =>
  traceOf(
    'client SYN',
    'server SYN,ACK',
    'client PSH,ACK "ping"',
    '+40 server ACK',
    'server receive() = 4',
    '+700 mark end',
  );

export const handshakeAckLost = (): Trace =>
  traceOf(
    'client SYN',
    'server SYN-RECEIVED',
    'server SYN,ACK',
    'client ESTABLISHED',
    'client ACK, dropped by f1',
    '+1010 server SYN,ACK again',
    'client ACK again',
    'server ESTABLISHED',
    '+700 mark end',
  );

export const lateHandshakeAck = (): Trace =>
  traceOf(
    'client SYN',
    'server SYN,ACK',
    'client ACK, delayed 200 by f1',
    'client PSH,ACK "ping"',
    '+40 server ACK',
    'server receive() = 4',
    '+900 mark end',
  );

export const resetListener = (): Trace =>
  traceOf('client RST', '+20 client SYN', 'server SYN,ACK', 'client ACK');

export const oldSyn = (): Trace =>
  traceOf(
    'client#2 SYN, injected by f1',
    'server#2 SYN,ACK',
    'client#2 RST seq=1',
    '+1 client SYN',
    'server SYN,ACK',
    'client ACK',
    '+1500 mark end',
  );

export const openedAtOnce = (): Trace =>
  traceOf(
    'client SYN-SENT',
    'client SYN, delayed 5 by f1',
    'server SYN-SENT',
    'server SYN seq=0, delayed 5 by f1',
    '+10 client SYN-RECEIVED',
    'client SYN,ACK seq=0 ack=1',
    'server SYN-RECEIVED',
    'server SYN,ACK seq=0 ack=1',
    'client ESTABLISHED',
    'server ESTABLISHED',
  );

export const closedAtOnce = (): Trace =>
  opened(
    'client FIN-WAIT-1',
    'client FIN,ACK, delayed 5 by f1',
    'server FIN-WAIT-1',
    'server FIN,ACK, delayed 5 by f1',
    '+10 client CLOSING',
    'client ACK',
    'server CLOSING',
    'server ACK',
    'client TIME-WAIT',
    'server TIME-WAIT',
  );

export const threeSegments = (): Trace =>
  opened(
    'client FIN-WAIT-1',
    'client FIN,ACK',
    'server CLOSE-WAIT',
    'server LAST-ACK',
    'server FIN,ACK',
    'client FIN-WAIT-2',
    'client TIME-WAIT',
    'client ACK',
    'server CLOSED',
  );

export const halfClosed = (): Trace =>
  opened(
    ...FIRST_HALF,
    '+5 server PSH,ACK "more"',
    'client ACK',
    'client receive() = 4',
    ...SECOND_HALF,
    '+800 mark end',
  );

/** What a role's first `times` transmissions need to be lost: gaps in milliseconds between the copies. */
export const lostSyn = (gapsMs: readonly number[]): Trace =>
  traceWith(
    {},
    'client connect() = ETIMEDOUT took 20000',
    'client SYN-SENT',
    'client SYN, dropped by f1',
    ...gapsMs.map((ms) => `+${ms} client SYN again, dropped by f1`),
    '@20000 client CLOSED',
    '+60000 mark end',
  );

export const lostSynAck = (gapsMs: readonly number[]): Trace =>
  traceOf(
    'client SYN',
    'server SYN,ACK, dropped by f1',
    ...gapsMs.map((ms) => `+${ms} server SYN,ACK again, dropped by f1`),
    '+90000 mark end',
  );

export const lostActiveFin = (gapsMs: readonly number[]): Trace =>
  opened(
    'client FIN-WAIT-1',
    'client FIN,ACK, dropped by f1',
    ...gapsMs.map((ms) => `+${ms} client FIN,ACK again, dropped by f1`),
    '+8000 client CLOSED',
    '+9000 mark end',
  );

export const lostPassiveFin = (gapsMs: readonly number[]): Trace =>
  opened(
    ...FIRST_HALF,
    'server LAST-ACK',
    'server FIN,ACK, dropped by f1',
    ...gapsMs.map((ms) => `+${ms} server FIN,ACK again, dropped by f1`),
    '+8000 server CLOSED',
    '+9000 mark end',
  );

export const lostData = (gapsMs: readonly number[]): Trace =>
  opened(
    'client send(4)',
    'client PSH,ACK "lost", dropped by f1',
    ...gapsMs.map((ms) => `+${ms} client PSH,ACK again, dropped by f1`),
    '+8000 client CLOSED',
    '+9000 mark end',
  );

export const activeFinAckLost = (): Trace =>
  opened(
    'client FIN-WAIT-1',
    'client FIN,ACK',
    'server CLOSE-WAIT',
    'server ACK, dropped by f1',
    '+204 client FIN,ACK again',
    'server ACK again',
    'client FIN-WAIT-2',
    '+700 mark end',
  );

export const finalAckLost = (): Trace =>
  withTimeWaitTimer(
    opened(
      ...FIRST_HALF,
      '+5 server close()',
      'server LAST-ACK',
      'server FIN,ACK',
      'client TIME-WAIT',
      'client ACK, dropped by f1',
      '+204 server FIN,ACK again',
      'client ACK again, dropped by f1',
      '+408 server FIN,ACK again',
      'client ACK again',
      'server CLOSED',
      '+60005 client CLOSED',
    ),
  );

/** What a look at the client finds after the last segment: TIME-WAIT for another 60 s. */
function withTimeWaitTimer(trace: Trace): Trace {
  const client = connectionOf(trace, 'client');
  const last = segmentsOf(trace).at(-1);
  if (client === undefined || last === undefined) return trace;
  return addEvents(trace, {
    kind: 'note',
    atNs: last.atNs + 50_000,
    side: 'client',
    local: client.local,
    remote: client.remote,
    what: 'sock_diag',
    detail: { timer: 'time-wait', remainsMs: 60_000, retransmits: 0, state: 'TIME-WAIT' },
    eye: 'sock_diag',
  });
}

export const refused = (): Trace => {
  const trace = traceOf(
    'client connect() = ECONNREFUSED took 0.4',
    'client SYN-SENT',
    'client SYN',
    'server RST,ACK',
    'client CLOSED',
    '+300 mark end',
  );
  return changeSegments(trace, segmentsOf(trace, { role: 'rst' }), () => ({ seq: seqNumber(0) }));
};

export const aborted = (): Trace =>
  opened(
    'client abort()',
    'client CLOSED',
    'client RST,ACK',
    'server CLOSED',
    'server receive() = ECONNRESET',
    '+300 mark end',
  );

export const unread = (): Trace =>
  opened(
    'client PSH,ACK "unread"',
    'server ACK',
    'server close()',
    'server CLOSED',
    'server RST,ACK',
    '+300 mark end',
  );

export const dataAfterClose = (): Trace =>
  opened(
    '+1 client close()',
    'client FIN-WAIT-1',
    'client FIN,ACK',
    'server ACK',
    '+5 server PSH,ACK "late"',
    'client RST,ACK',
    '+300 mark end',
  );

/** A scripted client's RST meets the server in a state. */
export const resetIn = (state: string): Trace =>
  opened(
    ...(state === 'ESTABLISHED' ? [] : [`server ${state}`]),
    'client RST peer',
    'server CLOSED',
    '+300 mark end',
  );

export const resetInSynSent = (): Trace =>
  traceOf(
    'server SYN-SENT',
    'server SYN seq=0',
    'client RST,ACK peer seq=0 ack=1',
    'server CLOSED',
    '+300 mark end',
  );

export const resetInSynReceived = (): Trace =>
  traceOf(
    'client SYN peer',
    'server SYN-RECEIVED',
    'server SYN,ACK',
    'client RST peer seq=1',
    'server CLOSED',
    '+2000 mark end',
  );

export const resetInWindow = (): Trace => opened('client RST peer seq=100', 'server ACK', '+300 mark end');

/** A keep-alive stands one before the next number. The client has said 4 octets, its next is 5. */
export const keptAlive = (): Trace => {
  const trace = opened(
    '+1000 client ACK seq=4 [keep-alive]',
    'server ACK [pure-ack]',
    '+1000 client ACK seq=4 [keep-alive], dropped by f1',
    '+1000 client ACK seq=4 [keep-alive]',
    'server ACK [pure-ack]',
    '+1000 client ACK seq=4 [keep-alive], dropped by f1',
    '+1000 client ACK seq=4 [keep-alive], dropped by f1',
    '+1000 client receive() = ETIMEDOUT',
    'client CLOSED',
    '+5000 mark end',
  );
  return withOption(trace, 'TCP_KEEPIDLE', 1);
};

/** The client's program set an option before all else. */
export const withOption = (trace: Trace, name: string, value: number): Trace => ({
  ...trace,
  events: [option(name, value), ...trace.events],
});

const option = (name: string, value: number) =>
  ({
    kind: 'call',
    atNs: 0,
    returnedNs: 0,
    side: 'client',
    socket: 1,
    call: 'setOption',
    args: { name, value },
    result: { kind: 'ok' },
  }) as const;

export const readOptions = (): Trace => {
  const trace = opened('client getOption(SO_KEEPALIVE)', 'client getOption(TCP_KEEPIDLE)');
  const values: Readonly<Record<string, number>> = { SO_KEEPALIVE: 0, TCP_KEEPIDLE: 7200 };
  const events = trace.events.map((event) =>
    event.kind === 'call' && event.call === 'getOption'
      ? { ...event, args: { name: String(event.args.how) } }
      : event,
  );
  const named = { ...trace, events };
  return named.events.reduce<Trace>(
    (all, event) =>
      event.kind === 'call' && event.call === 'getOption'
        ? changeResults(all, [event], { kind: 'ok', value: values[String(event.args.name)] ?? 0 })
        : all,
    named,
  );
};

export const windowShut = (): Trace =>
  opened(
    'client PSH,ACK data=100',
    'server ACK win=0',
    '+204 client ACK seq=104 [window-probe]',
    'server ACK win=0 [pure-ack]',
    '+408 client ACK seq=104 [window-probe]',
    '+816 client ACK seq=104 [window-probe]',
    'server ACK win=0 [pure-ack]',
    '+1000 server ACK win=64240 [pure-ack]',
    'client PSH,ACK data=50',
    'server ACK',
    '+700 mark end',
  );

export const withSack = (): Trace => {
  const trace = withOptions(opened('server PSH,ACK "more"', 'client ACK'));
  const acks = segmentsOf(trace, { from: 'client', role: 'pure-ack' }).slice(-1);
  return changeSegments(trace, acks, ({ ack }) => ({
    options: [{ kind: 'sack', blocks: [{ left: ack, right: ack }] }],
  }));
};

/** The client's program sends "stop!" as urgent data: its last octet is the urgent one. */
export const urgentData = (): Trace => {
  const trace = opened(
    'client send(5)',
    'client PSH,ACK,URG "stop!" urg=5',
    'server ACK',
    'server poll()',
    'server receive() = 1',
    'server receive() = 4',
    'server atUrgentMark()',
    '+300 mark end',
  );
  const values: Readonly<Record<string, string | number>> = {
    poll: 'readable writable urgent',
    atUrgentMark: 1,
  };
  const events = trace.events.map((event) => {
    if (event.kind !== 'call') return event;
    const { call, args, result } = event;
    const isUrgent = args.octets === 5 || (result.kind === 'data' && result.octets === 1);
    const value = call === 'send' ? args.octets : values[call];
    return {
      ...event,
      ...(isUrgent ? { args: { ...args, flags: 'OOB' } } : {}),
      ...(value === undefined
        ? {}
        : { result: { kind: 'ok', value: Number(value) || String(value) } as const }),
    };
  });
  return { ...trace, events };
};
