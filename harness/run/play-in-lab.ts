/** Plays a story in a lab of its own and records it. Whatever happens, the lab goes. */

import { type Clock, NANOS_PER_MS, type Timer } from '../clock/index.js';
import { ExpectationFailed, SocketError, Unsupported, WaitTimeout } from '../endpoint/index.js';
import { segment } from '../fault/index.js';
import type { Lab, LabOptions } from '../lab/index.js';
import { messageOf } from '../text/index.js';
import { assemble, type Trace } from '../trace/index.js';
import { type IpVersion, limitOf, type Story } from './scenario.js';
import { LabStage } from './stage.js';

export interface RunOptions {
  readonly ipVersion: IpVersion;
  readonly openLab: (options: LabOptions) => Promise<Lab>;
  readonly eyes?: LabOptions['eyes'];
  /** Stay until the last timer has ended. */
  readonly untilClosed?: boolean;
  /** Called once the opening bustle is over: segments have passed, and the story now waits for a timer. */
  readonly settled?: () => void;
}

/** A wire that is silent for so long waits for a timer of a stack: the shortest is that of a delayed ACK, 40 ms. */
const SETTLED = { forMs: 20, withinMs: 2000 };

/** What a story may take longer that stays until its last timer has ended: TIME-WAIT is 2 MSL, four minutes in RFC 9293. */
const UNTIL_CLOSED_MS = 250_000;

/** How the stimulus went; the checks judge what the endpoints made of it. */
export type PlayOutcome =
  | { readonly kind: 'played' }
  /** The situation did not come about: something awaited never happened, or a call was refused. */
  | { readonly kind: 'inconclusive' | 'unsupported' | 'error'; readonly reason: string };

export interface Played {
  readonly outcome: PlayOutcome;
  /** What the story threw, where it did. */
  readonly error?: unknown;
  readonly trace: Trace;
}

/** Rejects only when the lab cannot be built or what it saw cannot be had. */
export async function playInLab(story: Story, options: RunOptions): Promise<Played> {
  const { faults = [], settings, mtu, addresses, peer } = story;
  await using lab = await options.openLab({
    ipVersion: options.ipVersion,
    faults,
    ...(settings === undefined ? {} : { settings }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(addresses === undefined ? {} : { addresses }),
    ...(peer === undefined ? {} : { peer }),
    ...(options.eyes === undefined ? {} : { eyes: options.eyes }),
  });
  if (options.settled !== undefined) void settling(lab).then(options.settled);
  const stage = new LabStage(lab, story, options.untilClosed ?? false);
  const limitMs = limitOf(story) + (stage.untilClosed ? UNTIL_CLOSED_MS : 0);
  const played = await playWithin(() => story.play(stage), { limitMs, clock: lab.clock });
  const recording = await lab.recording();
  const trace = assemble(recording, {
    scenario: story.id,
    lab: lab.name,
    ipVersion: options.ipVersion,
    endpoints: (['client', 'server'] as const).map((side) => ({
      side,
      stack: side === peer ? 'peer' : lab.endpoint(side).stack,
      ip: lab.ip(side),
      ...(side === 'server' && lab.application !== undefined ? { application: lab.application } : {}),
    })),
    settings: flatSettings(story),
    marks: stage.marks,
  });
  return { ...played, trace };
}

/** Resolves when the first segments have passed; also when there are none, or no end of them. */
async function settling({ wire }: Lab): Promise<void> {
  try {
    await wire.sees(segment(), { withinMs: SETTLED.withinMs });
    await wire.quiet(SETTLED);
  } catch {
    // Whether a story's wire is ever silent is its own affair.
  }
}

/** Plays a story until it ends or its time is over. Never rejects: what it threw is part of the outcome. */
export async function playWithin(
  play: () => Promise<void>,
  { limitMs, clock }: { readonly limitMs: number; readonly clock: Clock },
): Promise<Omit<Played, 'trace'>> {
  let timer: Timer | undefined;
  const limit = new Promise<Omit<Played, 'trace'>>((resolve) => {
    const reason = `not played to its end within ${limitMs} ms`;
    timer = clock.at(clock.now() + limitMs * NANOS_PER_MS, () =>
      resolve({ outcome: { kind: 'inconclusive', reason } }),
    );
  });
  const played = play().then(
    () => ({ outcome: { kind: 'played' } }) as const,
    (error: unknown) => ({ outcome: outcomeOf(error), error }),
  );
  try {
    return await Promise.race([played, limit]);
  } finally {
    timer?.cancel();
  }
}

function outcomeOf(error: unknown): PlayOutcome {
  if (error instanceof Unsupported) return { kind: 'unsupported', reason: error.message };
  const awaited =
    error instanceof WaitTimeout || error instanceof ExpectationFailed || error instanceof SocketError;
  if (awaited || (error instanceof Error && error.name === 'TimeoutError'))
    return { kind: 'inconclusive', reason: messageOf(error) };
  return { kind: 'error', reason: messageOf(error) };
}

function flatSettings({ settings = {}, mtu }: Story): Record<string, string | number> {
  const flat = Object.entries(settings).flatMap(([side, values]) =>
    Object.entries(values ?? {}).map(([name, value]) => [`${side}.${name}`, value] as const),
  );
  return { ...Object.fromEntries(flat), ...(mtu === undefined ? {} : { mtu }) };
}
