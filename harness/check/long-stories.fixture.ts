/** Traces written by hand of what takes minutes to days, with the exact stamps of a lab in virtual time. */
import { type Trace, traceWith } from '../trace/index.js';
import { EXCHANGE, FIRST_HALF, OPENING, withOption } from './stories.fixture.js';

const virtual = (...lines: readonly string[]): Trace => traceWith({ lab: 'virtual' }, ...lines);

const opened = (...more: readonly string[]): Trace => virtual(...OPENING, ...EXCHANGE, ...more);

/** `firstMs`, twice that and so on, never more than `boundMs`: `count` of them. */
export const doubling = (firstMs: number, count: number, boundMs = 120_000): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.min(firstMs * 2 ** i, boundMs));

/** Linux's fifteen retries of data: a loss probe, and then time-outs from 0.2 s to the bound. */
export const FIFTEEN = [203, ...doubling(204, 15)];

const lost = (line: string, gapsMs: readonly number[]): readonly string[] => [
  `${line}, dropped by f1`,
  ...gapsMs.map((ms) => `+${ms} ${line.replace(/ ".*"/, '')} again, dropped by f1`),
];

export const synLost = (gapsMs: readonly number[], endsMs: number): Trace =>
  virtual(
    `client connect() = ETIMEDOUT took ${endsMs}`,
    'client SYN-SENT',
    ...lost('client SYN', gapsMs),
    `@${endsMs} client CLOSED`,
  );

export const synAckLost = (): Trace =>
  virtual(
    'client SYN',
    'server SYN-RECEIVED',
    ...lost('server SYN,ACK', [1024, 2048, 4096, 8192, 16_384, 33_792]),
    '+66000 server CLOSED',
    '+1 mark end',
  );

export const dataLost = (): Trace =>
  opened(
    'client send(4)',
    ...lost('client PSH,ACK "lost"', FIFTEEN),
    '+122880 client receive() = ETIMEDOUT',
    'client CLOSED',
  );

export const activeFinLost = (): Trace =>
  opened(
    'client close()',
    'client FIN-WAIT-1',
    ...lost('client FIN,ACK', [203, ...doubling(204, 9)]),
    '+104448 client CLOSED',
  );

export const passiveFinLost = (): Trace =>
  opened(
    ...FIRST_HALF,
    'server close()',
    'server LAST-ACK',
    ...lost('server FIN,ACK', doubling(204, 9)),
    '+104448 server CLOSED',
  );

/** Answered probes, at growing distances up to the bound. */
export const windowShutForAnHour = (): Trace =>
  opened(
    'client PSH,ACK data=100',
    'server ACK win=0',
    ...doubling(204, 38).flatMap((ms) => [
      `+${ms} client ACK seq=104 [window-probe]`,
      '+0.05 server ACK win=0 [pure-ack]',
    ]),
    '+1000 server ACK win=64240 [pure-ack]',
    'client PSH,ACK data=50',
    'server ACK',
  );

export const finWait2OfOrphan = (): Trace =>
  opened(
    'client close()',
    'client FIN-WAIT-1',
    'client FIN,ACK',
    'server CLOSE-WAIT',
    'server ACK',
    'client FIN-WAIT-2',
    '+61440 client CLOSED',
  );

export const halfClosedForHours = (): Trace =>
  opened(
    ...FIRST_HALF,
    '+10800000 server PSH,ACK "late"',
    'client ACK',
    'client receive() = 4',
    'server LAST-ACK',
    'server FIN,ACK',
    'client TIME-WAIT',
    'client ACK',
    'server CLOSED',
  );

export const idleForADay = (): Trace =>
  opened(
    ...Array.from({ length: 12 }, () => [
      '+7340032 client ACK seq=4 [keep-alive]',
      'server ACK [pure-ack]',
    ]).flat(),
  );

/** The user timeout is 30 s: the last time-out is cut short by it. */
export const userTimeoutOfData = (): Trace =>
  withOption(
    opened(
      'client send(4)',
      ...lost('client PSH,ACK "lost"', [203, ...doubling(204, 7)]),
      '+4100 client receive() = ETIMEDOUT',
      'client CLOSED',
    ),
    'TCP_USER_TIMEOUT',
    30_000,
  );

/** Of a shut window, whose probes are answered. */
export const userTimeoutOfWindow = (): Trace =>
  withOption(
    opened(
      'client PSH,ACK data=100',
      'server ACK win=0',
      ...doubling(204, 7).flatMap((ms) => [
        `+${ms} client ACK seq=104 [window-probe]`,
        '+0.05 server ACK win=0 [pure-ack]',
      ]),
      '+4200 client receive() = ETIMEDOUT',
      'client CLOSED',
    ),
    'TCP_USER_TIMEOUT',
    30_000,
  );

/** The same with probes of one octet of data, as RFC 9293 has them. */
export const userTimeoutOfWindowProbedByData = (): Trace =>
  withOption(
    opened(
      'client PSH,ACK data=100',
      'server ACK win=0',
      ...[1000, ...doubling(1000, 4)].flatMap((ms) => [
        `+${ms} client ACK data=1 seq=105 [data window-probe]`,
        '+0.05 server ACK win=0 [pure-ack]',
      ]),
      '+13999.4 client receive() = ETIMEDOUT',
      'client CLOSED',
    ),
    'TCP_USER_TIMEOUT',
    30_000,
  );

/** Of a connection on which nothing is heard. */
export const userTimeoutOfKeepAlive = (): Trace =>
  withOption(
    opened(
      ...[60_000, 10_000, 10_000].map((ms) => `+${ms} client ACK seq=4 [keep-alive], dropped by f1`),
      '+10000 client receive() = ETIMEDOUT',
      'client CLOSED',
    ),
    'TCP_USER_TIMEOUT',
    90_000,
  );
