/**
 * A lab in virtual time: each stack is a real Linux kernel whose clock the harness owns, or the project's own TCP on the same timeline, and
 * the wire lies in this thread. Stamps are exact to the nanosecond, and nothing waits for real time.
 */
import { type Clock, NANOS_PER_MS, type Nanos, type Timer } from '../../clock/index.js';
import { type CallRecord, type Endpoint, OWN_STACK, type PeerPort } from '../../endpoint/index.js';
import { otherSide, type Receipt, SIDES, type Side } from '../../fault/index.js';
import { type Eye, exactStates, type NoteRecord, type TracepointEvent } from '../../observe/index.js';
import { Random } from '../../segment/index.js';
import { messageOf } from '../../text/index.js';
import { GUEST_EPOCH_UNIX_NS, GUEST_MTU, nextPhase, USUAL_MTU } from '../../uml/index.js';
import { type Carrier, type Recorder, Wire, type WireControl } from '../../wire/index.js';
import type { Lab, LabOptions, Recording, StateChanges } from '../lab.js';
import { isOwn } from '../own-connections.js';
import { OwnSide } from '../own-side.js';
import { QueuedPeerPort } from '../queued-peer-port.js';
import { WireDesk } from '../wire-desk.js';
import { obey, type SyncResult, type WireRequest } from '../wire-request.js';
import type { GuestHost, WireCard } from './guest-host.js';
import type { GuestPlace } from './guest-place.js';
import type { TracingTap } from './guest-tracing.js';
import { type Furnished, freeAll, furnishAll } from './places.js';
import { type Slot, takeSlot } from './slots.js';
import { SocketChanges } from './socket-changes.js';
import { TimerLooks } from './timer-looks.js';
import { World } from './world.js';

/** The two stacks: kernels as `findKernel` takes them (`6.12`), or `stack`, the project's own TCP, which needs none. */
export interface VirtualStacks {
  readonly client: string;
  readonly server: string;
}

/** From a stack to the other: as in a building. */
export const LATENCY_NS: Nanos = 100_000;
/** How long after a phase a story begins: its lab is furnished by then, and its timers fire alike in every run. */
const FURNISHED_WITHIN_NS = 1024 * NANOS_PER_MS;
/** RFC 791 section 3.2 and RFC 8200 section 5. */
const SMALLEST_MTU = { 4: 68, 6: 1280 } as const;

/** Labs between these stacks. A lab rejects with one sentence when a kernel is missing or does not come up. */
export const virtualLabs =
  (stacks: VirtualStacks) =>
  (options: LabOptions): Promise<Lab> =>
    VirtualLab.open(options, stacks, World.shared());

class LabClock implements Clock {
  constructor(
    private readonly world: World,
    readonly epochNs: Nanos,
    private readonly failed: (error: unknown) => void,
  ) {}

  now(): Nanos {
    return this.world.timeline.now() - this.epochNs;
  }

  at(atNs: Nanos, action: () => void): Timer {
    // What a lab does wrong concerns nobody else in its world.
    return this.world.timeline.at(atNs + this.epochNs, () => {
      try {
        action();
      } catch (error) {
        this.failed(error);
      }
    });
  }
}

interface Stack {
  readonly endpoint: Endpoint;
  readonly changes: SocketChanges;
}

/** A kernel in a guest. */
interface Inside extends Stack {
  readonly host: GuestHost;
  readonly place: GuestPlace;
  readonly looks: TimerLooks;
}

/** The project's own TCP, on this thread. */
interface Own extends Stack {
  readonly side: OwnSide;
}

export class VirtualLab implements Lab {
  readonly name = 'virtual';
  readonly ipVersion: 4 | 6;
  readonly clock: LabClock;
  readonly wire: WireControl;
  readonly #desk: WireDesk;
  readonly #wire: Wire;
  readonly #slot: Slot;
  readonly #mtu: number;
  readonly #inside = new Map<Side, Inside>();
  readonly #own = new Map<Side, Own>();
  readonly #peerPort: QueuedPeerPort | undefined;
  readonly #calls: CallRecord[] = [];
  readonly #events: TracepointEvent[] = [];
  readonly #notes: NoteRecord[] = [];
  readonly #ends: (() => void)[] = [];
  #arrivedNs: Nanos = -1;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  static async open(options: LabOptions, stacks: VirtualStacks, world: World): Promise<VirtualLab> {
    const mtu = mtuOf(options);
    const slot = takeSlot(options);
    let lab: VirtualLab | undefined;
    let broken: Error | undefined;
    const end = world.begin((error) => {
      broken ??= error;
      if (lab !== undefined) lab.#fail(error);
    });
    let hosts: readonly GuestHost[] = [];
    try {
      const sides = SIDES.filter((side) => side !== options.peer && stacks[side] !== OWN_STACK);
      hosts = await world.hosts(sides.map((side) => ({ version: stacks[side], side })));
      const phaseNs = nextPhase(world.timeline.now());
      await world.sleepUntil(phaseNs);
      const places = await furnishAll({ ...options, hosts, sides, slot, mtu, card: cardFor(mtu) });
      const epochNs = phaseNs + FURNISHED_WITHIN_NS;
      try {
        if (world.timeline.now() > epochNs) throw new Error('the lab was not furnished in time');
        await world.sleepUntil(epochNs);
        if (broken !== undefined) throw broken;
        lab = new VirtualLab(options, {
          world,
          slot,
          epochNs,
          end,
          places,
          own: ownSidesOf(options, stacks),
        });
        return lab;
      } catch (error) {
        await freeAll(places, slot).catch(() => {});
        throw error;
      }
    } catch (error) {
      slot[Symbol.dispose]();
      end();
      throw hosts.find(({ failure }) => failure !== undefined)?.failure ?? error;
    }
  }

  private constructor(
    options: LabOptions,
    parts: {
      world: World;
      slot: Slot;
      epochNs: Nanos;
      end: () => void;
      places: readonly Furnished[];
      own: readonly Side[];
    },
  ) {
    const { world, slot, epochNs, places } = parts;
    this.ipVersion = options.ipVersion;
    this.#slot = slot;
    this.#mtu = mtuOf(options);
    this.clock = new LabClock(world, epochNs, (error) => this.#fail(error));
    this.#desk = new WireDesk({ clock: this.clock, ask: async (request) => this.#answer(request) });
    this.wire = this.#desk;
    if (options.peer !== undefined) this.#peerPort = this.#makePeerPort(options.peer);
    for (const side of parts.own) this.#addOwnSide(side, options);
    for (const { side, host, place } of places) {
      const endpoint = place.endpoint(this.clock, (record) => this.#calls.push(record));
      const changes = new SocketChanges({ clock: this.clock, attend: () => host.attend() });
      this.#inside.set(side, { host, place, endpoint, looks: this.#timerLooks(side, place), changes });
    }
    this.#wire = new Wire({
      clock: this.clock,
      carriers: { client: this.#carrier('client'), server: this.#carrier('server') },
      recorder: this.#recorder(),
      faults: options.faults ?? [],
      latencyNs: LATENCY_NS,
      look: (side, segment) => {
        const looks = this.#inside.get(side)?.looks;
        if (segment?.ip.dst === this.ip(side)) looks?.given(segment);
        else if (segment?.ip.src === this.ip(side)) looks?.sent(segment);
      },
    });
    for (const [side, { host }] of this.#inside) this.#connect(side, host, slot.mac(side));
    this.#ends.push(() => slot[Symbol.dispose](), parts.end);
  }

  /** What it draws at random is the same in each run: two of them can be compared to the octet. */
  #addOwnSide(side: Side, { settings }: LabOptions): void {
    const random = new Random(side === 'client' ? 1 : 2);
    const own = new OwnSide({
      side,
      ip: this.ip(side),
      clock: this.clock,
      mtu: this.#mtu,
      settings: settings?.[side] ?? {},
      output: (packet) => this.#arrive(side, packet, 'endpoint'),
      failed: (error) => this.#fail(error),
      randomBytes: (octets) => Uint8Array.from({ length: octets }, () => random.octet()),
    });
    const endpoint = own.host.endpoint(side, (record) => this.#calls.push(record));
    // It tells of each change whether somebody attends or not.
    const changes = new SocketChanges({ clock: this.clock, attend: () => () => {} });
    own.reported.onChange(() => changes.happened());
    this.#own.set(side, { side: own, endpoint, changes });
  }

  #timerLooks(side: Side, place: GuestPlace): TimerLooks {
    return new TimerLooks({
      side,
      clock: this.clock,
      find: (query) => place.find(query),
      report: (note) => this.#notes.push(note),
      failed: (error) => this.#fail(error),
    });
  }

  #connect(side: Side, host: GuestHost, mac: Uint8Array): void {
    this.#ends.push(
      host.onPacket(mac, (packet) => this.#arrive(side, packet, 'endpoint')),
      host.onFailure((error) => this.#fail(error)),
    );
    const tap: TracingTap = {
      sideOf: (local, remote) => (this.#isOf(side, local.ip, remote.ip) ? side : undefined),
      take: (event) => {
        const atNs = event.atNs - this.clock.epochNs;
        if (atNs < 0) return;
        this.#events.push({ ...event, atNs });
        if (event.change !== undefined) this.#inside.get(side)?.changes.happened();
      },
      overrun: (error) => this.#fail(error),
    };
    host.tracing.add(tap);
    this.#ends.push(() => host.tracing.remove(tap));
  }

  #isOf(side: Side, localIp: string, remoteIp: string): boolean {
    const isAny = localIp === '0.0.0.0' || localIp === '::';
    return localIp === this.ip(side) || (isAny && remoteIp === this.ip(otherSide(side)));
  }

  #arrive(side: Side, packet: Uint8Array, origin: 'endpoint' | 'peer'): void {
    if (this.#closing !== undefined) return;
    // What leaves at one and the same time still leaves one behind the other.
    this.#arrivedNs = Math.max(this.clock.now(), this.#arrivedNs + 1);
    try {
      this.#wire.arrive(side, packet, this.#arrivedNs, origin);
    } catch (error) {
      this.#fail(error);
    }
  }

  #carrier(side: Side): Carrier {
    const inside = this.#inside.get(side);
    if (inside !== undefined) {
      const mac = this.#slot.mac(side);
      const card = cardFor(this.#mtu);
      return { send: (packet) => inside.host.send(card, mac, packet) };
    }
    const own = this.#own.get(side);
    // Only when the wire is done with it: the stack answers at once.
    if (own !== undefined)
      return { send: (packet) => void this.clock.at(this.clock.now(), () => own.side.deliver(packet)) };
    return { send: (packet) => this.#peerPort?.deliver(packet, this.clock.now()) };
  }

  #recorder(): Recorder {
    return {
      arrived: (record) => this.#desk.take({ kind: 'arrived', record }),
      delivered: (id, delivery) => this.#desk.take({ kind: 'delivered', id, delivery }),
      updated: (id, change) => this.#desk.take({ kind: 'updated', id, change }),
    };
  }

  #answer(request: WireRequest): number | readonly Receipt[] | SyncResult | undefined {
    if (request.kind === 'sync') return { stampErrorNs: 0, epochUnixNs: GUEST_EPOCH_UNIX_NS };
    return obey(this.#wire, request);
  }

  #makePeerPort(side: Side): QueuedPeerPort {
    return new QueuedPeerPort({
      side,
      clock: this.clock,
      ip: this.ip(side),
      remoteIp: this.ip(otherSide(side)),
      send: (packet) => this.#arrive(side, packet, 'peer'),
    });
  }

  endpoint(side: Side): Endpoint {
    return this.#stack(side).endpoint;
  }

  changes(side: Side): StateChanges {
    return this.#stack(side).changes.follow();
  }

  get #stacks(): readonly Stack[] {
    return [...this.#inside.values(), ...this.#own.values()];
  }

  #stack(side: Side): Stack {
    const found = this.#inside.get(side) ?? this.#own.get(side);
    if (found === undefined)
      throw new TypeError(`the ${side} of this lab is a scripted peer: it has no endpoint, use peerPort()`);
    return found;
  }

  ip(side: Side): string {
    return this.#slot.ip(side);
  }

  peerPort(): PeerPort {
    if (this.#peerPort === undefined)
      throw new TypeError('this lab has a stack on both sides: open it with the option "peer" set to a side');
    return this.#peerPort;
  }

  async recording(): Promise<Recording> {
    // What is under way at this time arrives.
    await new Promise<void>((resolve) => this.clock.at(this.clock.now() + LATENCY_NS, resolve));
    if (this.#failure !== undefined) throw this.#failure;
    for (const { host, looks } of this.#inside.values()) {
      await looks.settled();
      await host.tracing.drain();
    }
    if (this.#failure !== undefined) throw this.#failure;
    const segments = [...this.#desk.records()];
    // Each guest numbers its sockets from 1.
    const seen = SIDES.map((side) => exactStates(this.#events.filter((event) => event.side === side)));
    const all = [...seen, ...[...this.#own.values()].map(({ side }) => side.reported)];
    const transitions = all.flatMap((each) => each.transitions);
    const notes = [...this.#notes, ...all.flatMap((each) => each.notes)].sort((a, b) => a.atNs - b.atNs);
    const isOfThisLab = isOwn(segments);
    return {
      segments,
      transitions: transitions.filter(isOfThisLab),
      notes: notes.filter(isOfThisLab),
      calls: [...this.#calls],
      receipts: this.#wire.receipts(),
      eyes: this.#eyes,
      epochUnixNs: GUEST_EPOCH_UNIX_NS.toString(),
      alignment: { segmentsErrorNs: 0, transitionsErrorNs: 0 },
    };
  }

  get #eyes(): readonly Eye[] {
    const ofGuests: readonly Eye[] = this.#inside.size > 0 ? ['tracepoint', 'sock_diag'] : [];
    return this.#own.size > 0 ? [...ofGuests, 'report'] : ofGuests;
  }

  /** The lab's guest is gone, or its wire failed: what it recorded must not be trusted. */
  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(messageOf(error));
    this.#desk.fail(this.#failure);
    for (const { changes } of this.#stacks) changes.happened();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#desk.fail(new Error('the lab was closed'));
    this.#wire.close();
    for (const { changes } of this.#stacks) changes.end();
    try {
      const inside = [...this.#inside].map(([side, { host, place }]) => ({ side, host, place }));
      await freeAll(inside, this.#slot);
      for (const { host, endpoint } of this.#inside.values())
        if (host.failure === undefined) await endpoint[Symbol.asyncDispose]();
      for (const { side, endpoint } of this.#own.values()) {
        await endpoint[Symbol.asyncDispose]();
        side[Symbol.dispose]();
      }
    } catch (error) {
      if (this.#failure === undefined) throw error;
    } finally {
      for (const end of this.#ends) end();
    }
  }
}

const ownSidesOf = ({ peer }: LabOptions, stacks: VirtualStacks): readonly Side[] =>
  SIDES.filter((side) => side !== peer && stacks[side] === OWN_STACK);

function mtuOf({ mtu = USUAL_MTU, ipVersion }: LabOptions): number {
  const smallest = SMALLEST_MTU[ipVersion];
  if (Number.isInteger(mtu) && mtu >= smallest && mtu <= GUEST_MTU) return mtu;
  throw new RangeError(
    `a virtual lab with IPv${ipVersion} cannot have an MTU of ${mtu}: give a number from ${smallest} to ${GUEST_MTU}`,
  );
}

const cardFor = (mtu: number): WireCard => (mtu > USUAL_MTU ? 'wide' : 'wire');
