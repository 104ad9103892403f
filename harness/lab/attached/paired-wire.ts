/**
 * One wire between two network namespaces that others made, such as those of two containers. Each segment is taken at the input of its receiver's
 * namespace, when it has truly left its sender: what is dropped is a loss in the network. Instead of one of the two there may be a scripted peer:
 * then what the other sends it is taken at its output.
 */
import { type Clock, RealClock } from '../../clock/index.js';
import type { PeerPort } from '../../endpoint/index.js';
import { type Fault, otherSide, SIDES, type Side } from '../../fault/index.js';
import { ipBytes, ipv4Text, ipv6Text } from '../../segment/index.js';
import { monotonicNs, type NetworkNamespace } from '../../sys/index.js';
import type { WireControl } from '../../wire/index.js';
import type { LabOptions } from '../lab.js';
import { QueuedPeerPort } from '../queued-peer-port.js';
import { type HookedNamespace, HookedWire } from './hooked-wire.js';
import { ownedPairs, type PairIntake } from './intake.js';
import type { RuleCounts } from './namespace-rules.js';
import { WatchedWire, type WireRecording } from './watched-wire.js';

export type PairedEnd =
  /** The namespace of a side's stack. Stays the caller's, to be disposed of after the wire. */
  { readonly kind: 'namespace'; readonly namespace: NetworkNamespace } | { readonly kind: 'peer' };

export interface PairedWireOptions {
  readonly ends: Readonly<Record<Side, PairedEnd>>;
  /** All TCP between the two is the wire's. The stack opposite to a peer needs a route to the peer's address; nobody has to answer there. */
  readonly addresses: Readonly<Record<Side, string>>;
  /** Only segments with one of these ports at either end (default: all). */
  readonly ports?: readonly number[];
  readonly faults?: readonly Fault[];
  readonly eyes?: LabOptions['eyes'];
  /** What times are told by (default: a clock that begins now). */
  readonly clock?: RealClock;
}

/** Rejects with `AttachRefused`, in one sentence; then nothing is left behind. */
export async function openPairedWire(options: PairedWireOptions): Promise<PairedWire> {
  const { ends, faults = [], ports = [], eyes = 'auto', clock = new RealClock(monotonicNs()) } = options;
  const addresses = plainAddresses(options.addresses);
  const stacks = SIDES.filter((side) => ends[side].kind !== 'peer');
  if (stacks.length === 0) throw new TypeError('a wire between two peers has no stack: give one a namespace');
  const peer = SIDES.find((side) => !stacks.includes(side));
  const hook = peer === undefined ? 'input' : 'output';
  const intakes = stacks.map((side): PairIntake => ({ kind: 'pair', side, hook, addresses, ports }));
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
  const wire: WatchedWire = await WatchedWire.open({
    clock,
    eyes,
    sideOf: (local, remote) =>
      intakes.find((intake) => ownedPairs(intake, intake.side)({ local, remote }))?.side,
    host: (watching, onReports) =>
      new HookedWire(
        {
          places: intakes.map((intake) => placeOf(ends[intake.side], intake)),
          ...(peer === undefined ? {} : { peer }),
          faults,
          ...watching,
        },
        onReports,
      ),
    toPeer: (packet, atNs) => peerPort?.deliver(packet, atNs),
  });
  return new PairedWire({ clock, wire, peerPort });
}

function placeOf(end: PairedEnd, intake: PairIntake): HookedNamespace {
  if (end.kind === 'peer') throw new TypeError(`the ${intake.side} is a scripted peer: it has no namespace`);
  return { text: `the ${intake.side} (${intake.addresses[intake.side]})`, namespace: end.namespace, intake };
}

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
