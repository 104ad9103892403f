/**
 * The traces of both legs for a test of one's own, with Toxiproxy between client and server: `record` for a way with a proxy in it.
 */
import { idleFaults } from '../check/index.js';
import { LEG_NAMES, type LegName, openToxiproxyNetns, type ViaLab, type ViaOptions } from '../lab/index.js';
import { asToxic, type Toxic, toxicText } from '../toxiproxy/index.js';
import { assembleLegs, eachLeg, type Legs, type MarkEvent, type TraceMeta } from '../trace/index.js';
import { type PlayOutcome, playWithin } from './play-in-lab.js';
import { limitOf } from './scenario.js';
import { ViaLabStage, type ViaStage } from './via-stage.js';

export interface RecordViaOptions extends Partial<ViaOptions> {
  /** What stands in the middle (default, and the only one there is). */
  readonly via?: 'toxiproxy';
  /** Names the traces and their files (default `recorded`): `recorded-client-leg`, `recorded-server-leg`. */
  readonly name?: string;
  /** The harness gives up after this long (default 15 s). */
  readonly limitMs?: number;
  readonly openLab?: (options: ViaOptions) => Promise<ViaLab>;
}

/** The story was played and does not show what was asked for: a fault of a leg never acted. */
export class InconclusiveVia extends Error {
  override readonly name = 'InconclusiveVia';
  // Private: printers of errors do not print the whole traces.
  readonly #legs: Legs;

  constructor(message: string, legs: Legs) {
    super(message);
    this.#legs = legs;
  }

  /** What happened instead. */
  get legs(): Legs {
    return this.#legs;
  }
}

export interface PlayedVia {
  readonly outcome: PlayOutcome;
  /** What the story threw, where it did. */
  readonly error?: unknown;
  readonly legs: Legs;
}

/** Rejects with what the story threw, and with `InconclusiveVia` when a fault of a leg never acted. */
export async function recordVia(
  options: RecordViaOptions,
  story: (stage: ViaStage) => Promise<void>,
): Promise<Legs> {
  const { name = 'recorded' } = options;
  const { outcome, error, legs } = await playVia(options, story);
  if (error !== undefined) throw error;
  if (outcome.kind !== 'played') throw new InconclusiveVia(`${name}: ${outcome.reason}`, legs);
  const idle = LEG_NAMES.map((leg) => idleFaults(legs[leg])).find((reason) => reason !== undefined);
  if (idle !== undefined) throw new InconclusiveVia(`${name}: ${idle}`, legs);
  return legs;
}

/** Rejects only when the lab cannot be built or what it saw cannot be had. */
export async function playVia(
  options: RecordViaOptions,
  story: (stage: ViaStage) => Promise<void>,
): Promise<PlayedVia> {
  const { name = 'recorded', limitMs, ipVersion = 4, openLab = openToxiproxyNetns } = options;
  await using lab = await openLab({ ...options, ipVersion });
  const stage = new ViaLabStage(lab);
  const played = await playWithin(() => story(stage), {
    limitMs: limitOf(limitMs === undefined ? {} : { limitMs }),
    clock: lab.clock,
  });
  const recordings = { client: await lab.legs.client.recording(), server: await lab.legs.server.recording() };
  const metas = eachLeg((leg) =>
    metaOf(leg, { lab, name, marks: stage.marks, toxics: options.toxics ?? [] }),
  );
  return { ...played, legs: assembleLegs(recordings, metas) };
}

interface About {
  readonly lab: ViaLab;
  readonly name: string;
  readonly marks: readonly MarkEvent[];
  readonly toxics: readonly (Toxic | string)[];
}

function metaOf(leg: LegName, { lab, name, marks, toxics }: About): TraceMeta {
  const own = lab.legs[leg];
  return {
    scenario: `${name}-${leg}-leg`,
    lab: lab.name,
    ipVersion: lab.ipVersion,
    endpoints: (['client', 'server'] as const).map((side) => ({
      side,
      stack: side === leg ? own.endpoint(side).stack : lab.proxyStack,
      ip: own.ip(side),
    })),
    settings: Object.fromEntries(toxics.map((toxic, i) => [`toxic ${i + 1}`, toxicText(asToxic(toxic))])),
    marks,
  };
}
