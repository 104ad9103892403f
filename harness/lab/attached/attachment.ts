/**
 * A wire through the hooks of a network namespace that somebody else made: segments of one port that leave it or come to it pass a fault plan,
 * and what its sockets do is watched. Real time. When it is disposed of, or the process ends, traffic flows as before.
 */
import { networkInterfaces } from 'node:os';
import { type Clock, type Nanos, RealClock } from '../../clock/index.js';
import type { Address } from '../../endpoint/index.js';
import { type Fault, SIDES } from '../../fault/index.js';
import type { DiagSocket } from '../../observe/index.js';
import { monotonicNs } from '../../sys/index.js';
import type { WireControl } from '../../wire/index.js';
import type { LabOptions, Recording } from '../lab.js';
import { HookedWire } from './hooked-wire.js';
import { ownedPairs, type PortIntake } from './intake.js';
import type { RuleCounts } from './namespace-rules.js';
import { listenersAmong } from './namespace-sockets.js';
import { eyesElsewhere } from './paired-start.js';
import { RemoteWire } from './remote/index.js';
import type { Reach, Target } from './target.js';
import { WatchedWire } from './watched-wire.js';

export interface AttachOptions {
  /** Whose network namespace. Stays the caller's, to be freed after the attachment. */
  readonly target: Target;
  /** The server's port, whichever side the namespace has. */
  readonly port: number;
  readonly faults?: readonly Fault[];
  readonly eyes?: LabOptions['eyes'];
}

/** What there was at the port when a wire was attached. */
export interface Present {
  readonly listeners: readonly Address[];
  readonly connections: number;
  /** At whatever port something listens there. */
  readonly anyListeners: readonly Address[];
}

/** Rejects with `AttachRefused`, in one sentence; then nothing is left behind. */
export async function attach({
  target,
  port,
  faults = [],
  eyes = 'auto',
}: AttachOptions): Promise<Attachment> {
  const { text, reach } = target;
  const localIps = ipsOf(reach);
  const intake: PortIntake = { kind: 'port', port, localIps };
  const owns = ownership(intake);
  const clock = new RealClock(monotonicNs());
  const remote = reach.kind === 'process' ? await RemoteWire.connect(reach.process) : undefined;
  const opening = WatchedWire.open({
    clock,
    eyes: remote === undefined || remote.isLocal ? eyes : eyesElsewhere(eyes),
    sideOf: (local, remote) => SIDES.find((side) => owns[side]({ local, remote })),
    knowsListeners: false,
    host: async (watching, onReports) => {
      if (reach.kind === 'here')
        return new HookedWire({ places: [{ ...reach, text, intake }], faults, ...watching }, onReports);
      if (remote === undefined) throw new TypeError('a wire in a process of its own has no connection to it');
      await remote.open({ places: [{ path: reach.path, text, intake }], faults, ...watching }, onReports);
      return remote;
    },
    onSegment: ({ hook }, { from, to }) => {
      if (hook !== undefined) localIps.add(hook === 'output' ? from.ip : to.ip);
    },
  });
  try {
    return new Attachment({ clock, intake, wire: await opening });
  } catch (error) {
    await remote?.close();
    throw error;
  }
}

interface AttachmentParts {
  readonly clock: Clock;
  readonly intake: PortIntake;
  readonly wire: WatchedWire;
}

export class Attachment implements AsyncDisposable {
  readonly clock: Clock;
  readonly wire: WireControl;
  /** Resolves when the wire can be trusted no longer. */
  readonly failed: Promise<Error>;
  readonly #parts: AttachmentParts;

  /** `attach` makes them. */
  constructor(parts: AttachmentParts) {
    this.clock = parts.clock;
    this.wire = parts.wire.wire;
    this.failed = parts.wire.failed;
    this.#parts = parts;
  }

  /** When it was attached: nothing that it tells of was before. */
  get attachedNs(): Nanos {
    return this.#parts.wire.openedNs;
  }

  /** What there is at the port now. */
  async present(): Promise<Present> {
    const owns = ownership(this.#parts.intake);
    const sockets = await this.sockets();
    const own = sockets.filter((socket) => owns.client(socket) || owns.server(socket));
    return {
      listeners: own.filter(({ state }) => state === 'LISTEN').map(({ local }) => local),
      connections: own.filter(({ state }) => state !== 'LISTEN' && state !== 'CLOSED').length,
      anyListeners: listenersAmong(sockets),
    };
  }

  /** All that the namespace has now. */
  sockets(): Promise<readonly DiagSocket[]> {
    return this.#parts.wire.sockets();
  }

  /** Segments that passed unseen, since there was no room for them. */
  missed(): Promise<number> {
    return this.#parts.wire.missed();
  }

  /** All so far, without another look at the sockets. */
  async glance(): Promise<Recording> {
    return { ...(await this.#parts.wire.glance()), calls: [] };
  }

  /** All that is known here, of a wire that has failed. */
  remains(): Recording {
    return { ...this.#parts.wire.remains(), calls: [] };
  }

  /** Waits until all that happened so far has been recorded. */
  async recording(): Promise<Recording> {
    return { ...(await this.#parts.wire.recording()), calls: [] };
  }

  /** The rules that were added, and those that were there to be taken out at the end. */
  get rules(): RuleCounts {
    return this.#parts.wire.rules;
  }

  /** What faults hold or delay is lost, and TCP sends it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.wire[Symbol.asyncDispose]();
  }
}

const ownership = (intake: PortIntake) => ({
  client: ownedPairs(intake, 'client'),
  server: ownedPairs(intake, 'server'),
});

const ipsOf = (reach: Reach): Set<string> =>
  new Set(
    reach.kind === 'process'
      ? reach.localIps
      : Object.values(reach.namespace.run(networkInterfaces)).flatMap((addresses = []) =>
          addresses.map(({ address }) => address),
        ),
  );
