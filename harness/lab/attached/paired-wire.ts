/**
 * One wire between two network namespaces that others made, such as those of two containers. Each segment is taken at the input of its receiver's
 * namespace, when it has truly left its sender: what is dropped is a loss in the network. Instead of one of the two there may be a scripted peer:
 * then what the other sends it is taken at its output. So it is where one of the two is on another machine: what is dropped there is marked.
 */
import { type Clock, RealClock } from '../../clock/index.js';
import type { PeerPort } from '../../endpoint/index.js';
import { type Fault, otherSide, SIDES, type Side } from '../../fault/index.js';
import type { DiagSocket, SideOf } from '../../observe/index.js';
import { ipBytes, ipv4Text, ipv6Text } from '../../segment/index.js';
import { monotonicNs } from '../../sys/index.js';
import type { WireControl } from '../../wire/index.js';
import type { LabOptions } from '../lab.js';
import { QueuedPeerPort } from '../queued-peer-port.js';
import { ownedPairs, type PairIntake } from './intake.js';
import type { RuleCounts } from './namespace-rules.js';
import { eyesElsewhere, type PairedEnd, type PairedPlan, startWire } from './paired-start.js';
import { RemoteWire, type WireProcess } from './remote/index.js';
import { WatchedWire, type WireRecording } from './watched-wire.js';

/** Where the wire runs. */
export type Through = { readonly kind: 'thread' } | ({ readonly kind: 'process' } & WireProcess);

export interface PairedWireOptions {
  /** Default: a thread. A process stays the caller's to end; its input is ended with the wire. */
  readonly through?: Through;
  readonly ends: Readonly<Record<Side, PairedEnd>>;
  /** All TCP between the two is the wire's. The stack opposite to a peer needs a route to the peer's address; nobody has to answer there. */
  readonly addresses: Readonly<Record<Side, string>>;
  /** Only segments with one of these ports at either end (default: all). */
  readonly ports?: readonly number[];
  /**
   * Whether connection tracking of the two namespaces goes on seeing what is between them (default). It drops a SYN that crosses another
   * one; where no address is translated, stacks are better observed without it.
   */
  readonly isTracked?: boolean;
  readonly faults?: readonly Fault[];
  readonly eyes?: LabOptions['eyes'];
  /** What times are told by (default: a clock that begins now). */
  readonly clock?: RealClock;
}

/** Rejects with `AttachRefused`, in one sentence; then nothing is left behind. */
export async function openPairedWire(options: PairedWireOptions): Promise<PairedWire> {
  const { ends, through = { kind: 'thread' }, eyes = 'auto', clock = new RealClock(monotonicNs()) } = options;
  const plan = planOf(options);
  const { intakes, addresses, peer } = plan;
  const remote = through.kind === 'process' ? await RemoteWire.connect(through) : undefined;
  const peerPort =
    peer === undefined
      ? undefined
      : new QueuedPeerPort({
          side: peer,
          clock,
          ip: addresses[peer],
          remoteIp: addresses[otherSide(peer)],
          send: (packet) => wire.peerPacket(packet),
        });
  let wire: WatchedWire;
  try {
    wire = await WatchedWire.open({
      clock,
      eyes: remote === undefined || remote.isLocal ? eyes : eyesElsewhere(eyes),
      sideOf: sideByAddress(intakes),
      knowsListeners: true,
      host: (watching, onReports) => startWire({ ends, plan, watching, remote }, onReports),
      toPeer: (packet, atNs) => peerPort?.deliver(packet, atNs),
    });
  } catch (error) {
    await remote?.close();
    throw error;
  }
  return new PairedWire({ clock, wire, peerPort });
}

/** A listener of all addresses may be anybody's: only looks tell whose it is. */
const sideByAddress =
  (intakes: readonly PairIntake[]): SideOf =>
  (local, remote) =>
    intakes.find(
      (intake) =>
        ownedPairs(intake, intake.side)({ local, remote }) &&
        (remote.port !== 0 || local.ip === intake.addresses[intake.side]),
    )?.side;

function planOf({
  ends,
  ports = [],
  faults = [],
  isTracked = true,
  ...options
}: PairedWireOptions): PairedPlan {
  const addresses = plainAddresses(options.addresses);
  const stacks = SIDES.filter((side) => ends[side].kind === 'namespace');
  if (stacks.length === 0)
    throw new TypeError('a wire needs the namespace of one stack at least: give it one');
  const peer = SIDES.find((side) => ends[side].kind === 'peer');
  const intakes = stacks.flatMap((side) =>
    hooksAt(ends[otherSide(side)]).map(
      (hook): PairIntake => ({
        kind: 'pair',
        side,
        hook,
        addresses,
        ports,
        isTracked,
        isForwarded: isForwarding(ends[side]),
        isFar: hook === 'output' && peer === undefined,
      }),
    ),
  );
  return { addresses, intakes, peer, faults };
}

/** Where segments are taken in the namespace of the side opposite to this one. */
const hooksAt = ({ kind }: PairedEnd): readonly PairIntake['hook'][] =>
  kind === 'peer' ? ['output'] : kind === 'far' ? ['input', 'output'] : ['input'];

const isForwarding = (end: PairedEnd): boolean => end.kind === 'namespace' && (end.isForwarding ?? false);

/** As segments and sockets are told by them: in one spelling. */
function plainAddresses({ client, server }: Readonly<Record<Side, string>>): Readonly<Record<Side, string>> {
  const [a, b] = [ipBytes(client), ipBytes(server)];
  if (a.length !== b.length)
    throw new RangeError(`${client} and ${server} are not of one IP version: a wire has one`);
  const text = (octets: Uint8Array): string => (octets.length === 4 ? ipv4Text(octets) : ipv6Text(octets));
  return { client: text(a), server: text(b) };
}

interface PairedWireParts {
  readonly clock: Clock;
  readonly wire: WatchedWire;
  readonly peerPort: PeerPort | undefined;
}

export class PairedWire implements AsyncDisposable {
  readonly clock: Clock;
  readonly wire: WireControl;
  /** Resolves when the wire can be trusted no longer. */
  readonly failed: Promise<Error>;
  /** The scripted peer's way onto the wire, where one side is that. */
  readonly peerPort: PeerPort | undefined;
  readonly #wire: WatchedWire;

  /** `openPairedWire` makes them. */
  constructor({ clock, wire, peerPort }: PairedWireParts) {
    this.clock = clock;
    this.wire = wire.wire;
    this.failed = wire.failed;
    this.peerPort = peerPort;
    this.#wire = wire;
  }

  /** Waits until all that happened so far has been recorded. */
  recording(): Promise<WireRecording> {
    return this.#wire.recording();
  }

  /** All so far, without another look at the sockets. */
  glance(): Promise<WireRecording> {
    return this.#wire.glance();
  }

  /** All that is known here, of a wire that has failed. */
  remains(): WireRecording {
    return this.#wire.remains();
  }

  /** All that the two namespaces have now. */
  sockets(): Promise<readonly DiagSocket[]> {
    return this.#wire.sockets();
  }

  /** Segments that passed unseen, since there was no room for them. */
  missed(): Promise<number> {
    return this.#wire.missed();
  }

  /** The rules that were added, and those that were there to be taken out at the end. */
  get rules(): RuleCounts {
    return this.#wire.rules;
  }

  /** What faults hold or delay is lost, and TCP sends it again. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#wire[Symbol.asyncDispose]();
  }
}
