/** Runs that nobody thought of: settings, programs and a bad wire at random, each as plain data that plays the same again. */
import fc from 'fast-check';
import { seqNumber } from '../../harness/segment/index.js';
import type { TcpSettings } from '../tcp/index.js';
import { BadWire, type BadWirePlan } from './bad-wire.js';
import type { ProgramPlan } from './program.js';
import { type Outcome, type RoundOutcome, type RunOptions, run } from './run.js';
import { demand } from './violation.js';

export interface RandomRun {
  readonly seed: number;
  readonly ipVersion: 4 | 6;
  readonly opens: 'client' | 'both';
  readonly rounds: number;
  readonly fastOpen: boolean;
  readonly cookies: boolean;
  readonly mtu: number;
  /** How far from the wrap of 32 bits the numbers of both sides begin. */
  readonly beforeWrap: readonly [number, number];
  readonly client: ProgramPlan;
  readonly server: ProgramPlan;
  readonly clientSettings: Partial<TcpSettings>;
  readonly serverSettings: Partial<TcpSettings>;
  readonly wire: BadWirePlan;
}

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Left out, or there. */
const perhaps = <K extends string, T>(key: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [k in K]?: T }> =>
  fc.option(value, { nil: undefined }).map((it) => (it === undefined ? {} : { [key]: it })) as fc.Arbitrary<{
    [k in K]?: T; // a computed key has no type of its own
  }>;

const settings: fc.Arbitrary<Partial<TcpSettings>> = fc.record(
  {
    rtoMinMs: some(1000, 200),
    ackDelayMs: some(100, 0, 40, 450),
    handshakeAckDelayMs: some(0, 200),
    noDelay: fc.boolean(),
    cork: some(false, false, true),
    maxSegmentOctets: some(0, 48, 536, 1000),
    timestamps: fc.boolean(),
    windowScale: fc.boolean(),
    sack: fc.boolean(),
    ecn: some('accept', 'ask', 'off'),
    sendBufferOctets: some(1 << 20, 200, 5000, 70_000),
    receiveBufferOctets: some(1 << 20, 1, 3, 700, 5000, 70_000, 200_001),
    keepAlive: fc.boolean(),
    keepAliveIdleMs: fc.constant(900),
    keepAliveIntervalMs: fc.constant(700),
    mslMs: some(30_000, 10, 1000),
    timeWaitIgnoresReset: fc.boolean(),
    resetProfile: some('rfc5961', 'rfc793'),
    congestionControl: some('cubic', 'newreno'),
    initialWindowSegments: some(10, 1, 3),
    tailLossProbe: fc.boolean(),
    pathMtuDiscovery: some('icmp', 'off', 'probe'),
    userTimeoutMs: some(0, 0, 8_000_000),
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<Partial<TcpSettings>>; // fast-check has no type for "any of these"

const MOST_OCTETS = 60_000;

const program = (canAbort: boolean): fc.Arbitrary<ProgramPlan> =>
  fc
    .record({
      sends: fc.oneof(some(0, 1), fc.nat(3000), fc.nat(MOST_OCTETS)),
      closes: fc.oneof(some('when sent', 'after end'), fc.nat(2000)) as fc.Arbitrary<ProgramPlan['closes']>, // a union of both
      more: fc.oneof(
        { weight: 3, arbitrary: fc.constant({}) },
        fc.record({ pieces: fc.integer({ min: 200, max: 9000 }), everyMs: some(0, 1, 30, 300) }),
      ),
      reads: perhaps(
        'reads',
        fc.record({ octets: fc.integer({ min: 300, max: 9000 }), everyMs: some(0, 1, 40, 900) }),
      ),
      urgent: perhaps('urgentEvery', some(1, 3)),
      after: perhaps('sendsAfter', some(0, 1, 500)),
      aborts: canAbort ? perhaps('abortsAfter', fc.nat(5000)) : fc.constant({}),
      releases: canAbort ? perhaps('releases', fc.constant(true)) : fc.constant({}),
    })
    .map(({ sends, closes, more, reads, urgent, after, aborts, releases }) => ({
      sends,
      closes,
      ...more,
      ...reads,
      ...urgent,
      ...after,
      ...aborts,
      ...releases,
    }));

const wire: fc.Arbitrary<BadWirePlan> = fc
  .record({
    seed: fc.nat(),
    loses: some(0, 20, 100, 300),
    repeats: some(0, 50, 300),
    delays: some(0, 100, 500),
    corrupts: some(0, 30, 200),
    latencyMs: some(0.1, 1, 30, 400),
    delayMs: some(1, 20, 300, 2000),
    packets: fc.nat(400),
    narrows: perhaps(
      'narrows',
      fc.record({ at: fc.nat(60), mtu: some(576, 1280, 1300, 1499), isSilent: fc.boolean() }),
    ),
  })
  .map(({ narrows, ...rest }) => ({ ...rest, ...narrows }));

export const arbitraryRun: fc.Arbitrary<RandomRun> = fc
  .boolean()
  .chain((canAbort) =>
    fc.record({
      seed: fc.nat(),
      ipVersion: some(4 as const, 6 as const),
      opens: some('client' as const, 'client' as const, 'both' as const),
      rounds: some(1, 1, 3),
      fastOpen: fc.boolean(),
      cookies: some(false, false, true),
      mtu: some(1500, 576, 1280, 9000),
      beforeWrap: fc.tuple(fc.nat(30_000), fc.nat(30_000)),
      client: program(canAbort),
      server: program(canAbort),
      clientSettings: settings,
      serverSettings: settings,
      wire,
    }),
  )
  .map(sound);

/** Takes out what cannot be asked for: two programs that each wait for the other, a path that is narrower than IPv6 allows. */
function sound(plan: RandomRun): RandomRun {
  const {
    ipVersion,
    mtu,
    wire: { narrows, ...rest },
  } = plan;
  const [client, server] = dealt(
    lighter(plan.client, plan.serverSettings),
    lighter(plan.server, plan.clientSettings),
  );
  const leastMtu = ipVersion === 6 ? 1280 : 576;
  const isProbing =
    plan.clientSettings.pathMtuDiscovery === 'probe' && plan.serverSettings.pathMtuDiscovery === 'probe';
  const narrow =
    narrows === undefined
      ? {}
      : {
          narrows: {
            ...narrows,
            mtu: Math.max(narrows.mtu, leastMtu),
            isSilent: narrows.isSilent && isProbing,
          },
        };
  // What is kept in a cookie is all that is kept: whoever opened must speak first, and what it says first must be the first to come.
  // And whoever brings it twice, after the connection has ended, opens another.
  const isOrderly = rest.packets === 0 && narrows === undefined && !hasLimits(plan);
  const cookies =
    plan.cookies &&
    isOrderly &&
    plan.opens === 'client' &&
    client.sends > 0 &&
    (client.sendsAfter ?? 0) === 0;
  // Nor has a cookie room for an MSS below the default one.
  const { maxSegmentOctets = 0, ...others } = plan.clientSettings;
  const clientSettings = cookies && maxSegmentOctets < 536 ? others : plan.clientSettings;
  // Who is left alone with nothing to say has no way to learn it but keep-alives.
  const watched = hasLimits(plan) ? { keepAlive: true, keepAliveIdleMs: 900, keepAliveIntervalMs: 700 } : {};
  const isOnce = plan.opens === 'both' || hasLimits(plan);
  return {
    ...plan,
    mtu: Math.max(mtu, leastMtu),
    client,
    server,
    clientSettings: { ...patient(clientSettings, rest), ...watched },
    serverSettings: { ...patient(plan.serverSettings, rest), ...watched },
    cookies,
    fastOpen: plan.fastOpen && plan.opens === 'client' && !cookies,
    rounds: isOnce ? 1 : plan.rounds,
    wire: { ...rest, ...narrow },
  };
}

/** Mishaps in a row are no reason to give up, and no packet lives longer than MSL. */
const patient = (
  settings: Partial<TcpSettings>,
  { delayMs, latencyMs }: BadWirePlan,
): Partial<TcpSettings> => ({
  ...settings,
  synRetries: 30,
  synAckRetries: 30,
  dataRetries: 60,
  orphanRetries: 60,
  mslMs: Math.max(settings.mslMs ?? 30_000, delayMs + latencyMs),
});

/** A window of some octets takes a segment for each of them: not many are sent through it. */
const lighter = (
  plan: ProgramPlan,
  { receiveBufferOctets = MOST_OCTETS }: Partial<TcpSettings>,
): ProgramPlan => ({
  ...plan,
  sends: Math.min(plan.sends, 60 * receiveBufferOctets),
});

/** Each is to receive what it waits for, and one of them closes by itself. */
function dealt(client: ProgramPlan, server: ProgramPlan): readonly [ProgramPlan, ProgramPlan] {
  const within = (wanted: number | undefined, most: number): number => Math.min(wanted ?? 0, most);
  const matched = (plan: ProgramPlan, other: ProgramPlan, mayWait: boolean): ProgramPlan => ({
    ...plan,
    ...(plan.sendsAfter === undefined
      ? {}
      : { sendsAfter: mayWait ? within(plan.sendsAfter, other.sends) : 0 }),
    ...(plan.abortsAfter === undefined ? {} : { abortsAfter: within(plan.abortsAfter, other.sends) }),
    closes: typeof plan.closes === 'number' ? within(plan.closes, other.sends) : plan.closes,
  });
  const first = matched(client, server, false);
  const second = matched(server, client, true);
  if (first.closes === 'after end' && second.closes === 'after end')
    return [{ ...first, closes: 'when sent' }, second];
  return [first, second];
}

/** A program that gives up, or does not wait for the other's end, may cost the other side data: RFC 9293 section 3.6.1. */
const hasLimits = ({ client, server }: Pick<RandomRun, 'client' | 'server'>): boolean =>
  [client, server].some(({ abortsAfter, releases }) => abortsAfter !== undefined || releases === true);

export const optionsOf = (plan: RandomRun): RunOptions => {
  const { beforeWrap, cookies, wire: wirePlan, ...rest } = plan;
  const badWire = new BadWire(wirePlan);
  const begun = { client: 0, server: 0 };
  return {
    ...rest,
    stack: {
      synCookies: cookies ? 'always' : 'flood',
      // Each connection begins further on than the one before ended, as RFC 6528 has it.
      initialNumbers: ({ port }) => {
        const name = port === 80 ? 'server' : 'client';
        const before = beforeWrap[name === 'client' ? 0 : 1];
        const iss = seqNumber(2 * MOST_OCTETS * begun[name] - before);
        begun[name] += 1;
        return { iss, tsOffset: seqNumber(-beforeWrap[0]) };
      },
    },
    fate: (passing) => badWire.fate(passing),
  };
};

/** Plays it, and judges how it ended. */
export function play(plan: RandomRun): Outcome {
  const outcome = run(optionsOf(plan));
  for (const round of outcome.rounds) judge(plan, round);
  return outcome;
}

function judge(plan: RandomRun, { client, server }: RoundOutcome): void {
  if (hasLimits(plan)) return;
  const { client: clientPlan, server: serverPlan } = plan;
  const isDone =
    client.received === serverPlan.sends &&
    server.received === clientPlan.sends &&
    client.hasSeenEnd &&
    server.hasSeenEnd;
  // Whoever has everything may still be reset or give up while it waits for the last ACK.
  demand(isDone, () => `client ${JSON.stringify(client)}, server ${JSON.stringify(server)}`);
}
