/**
 * The path between two sides: takes each packet that arrives, asks the fault plan what becomes of it, carries that out
 * and records it. It is synchronous and pure of input and output: time comes from the clock it is given, packets leave
 * through carriers, so that it runs the same on a thread in real time and in virtual time.
 */
import type { Clock, Nanos, Timer } from '../clock/index.js';
import {
  type Effect,
  type Fault,
  FaultEngine,
  type FaultMark,
  type FlowFacts,
  FlowTracker,
  otherSide,
  type Receipt,
  type Side,
} from '../fault/index.js';
import { decode, type Segment } from '../segment/index.js';
import type { Carrier } from './carrier.js';
import type { Delivery, SegmentRecord } from './record.js';
import type { Recorder } from './recorder.js';

/** Packets that a wire keeps at most, delayed and held together. */
export const MAX_PACKETS_UNDERWAY = 100_000;

/** Called when a segment has entered from a side, and after one was delivered to a side: the moment to look at its state. */
export type Look = (side: Side, segment: Segment | undefined) => void;

export interface WireOptions {
  readonly clock: Clock;
  readonly carriers: Readonly<Record<Side, Carrier>>;
  readonly recorder: Recorder;
  readonly faults?: readonly Fault[];
  readonly look?: Look;
  /** How long a packet takes from the wire to either side, beside what faults delay it (default 0: at once). */
  readonly latencyNs?: number;
  /** Called with a packet, as it arrived, that the plan has dropped: nothing of it is under way any more. */
  readonly lost?: (packet: Uint8Array) => void;
}

type Origin = SegmentRecord['origin'];

/** The record of the packet being handled, until its first part is complete. */
interface Draft {
  readonly id: number;
  readonly deliveries: Delivery[];
  readonly faults: FaultMark[];
  held: boolean;
}

/** A packet that arrives, while the plan's effects on it are carried out. */
interface InHand {
  readonly id: number;
  readonly packet: Uint8Array;
  readonly segment: Segment;
}

const decodeSegment = (packet: Uint8Array): Segment | undefined => {
  const decoded = decode(packet);
  return decoded.kind === 'segment' ? decoded.segment : undefined;
};

/** Whether the arrival is delivered, at once or later, or held. */
const goesOn = (effect: Effect, arrival: number): boolean =>
  (effect.kind === 'deliver' || effect.kind === 'hold') && effect.arrival === arrival;

export class Wire {
  readonly #clock: Clock;
  readonly #carriers: Readonly<Record<Side, Carrier>>;
  readonly #recorder: Recorder;
  readonly #look: Look | undefined;
  readonly #latencyNs: number;
  readonly #lost: ((packet: Uint8Array) => void) | undefined;
  readonly #engine: FaultEngine;
  readonly #tracker = new FlowTracker();
  /** Packets that a fault holds, by arrival. */
  readonly #held = new Map<number, Uint8Array>();
  readonly #timers = new Set<Timer>();
  /** When packets that are on their way to a side will be there. */
  readonly #dueNs: Readonly<Record<Side, Set<Nanos>>> = { client: new Set(), server: new Set() };
  #draft: Draft | undefined;
  #arrivals = 0;

  constructor(options: WireOptions) {
    const { clock, carriers, recorder, faults = [], look, latencyNs = 0, lost } = options;
    this.#clock = clock;
    this.#carriers = carriers;
    this.#recorder = recorder;
    this.#look = look;
    this.#latencyNs = latencyNs;
    this.#lost = lost;
    this.#engine = new FaultEngine(faults, { startNs: clock.now() });
  }

  /** A packet has come onto the wire from a side. The wire keeps it: hand over octets that nobody changes. */
  arrive(from: Side, packet: Uint8Array, atNs: Nanos, origin: Origin = 'endpoint'): void {
    const id = this.#nextId();
    const segment = decodeSegment(packet);
    const draft: Draft = { id, deliveries: [], faults: [], held: false };
    this.#draft = draft;
    let facts: FlowFacts | undefined;
    if (segment === undefined) {
      const to = otherSide(from);
      this.#bring(to, atNs, () => this.#deliver({ arrival: id, to, packet, arrived: packet, segment }));
    } else {
      const arrival = { id, atNs, from, packet, segment };
      // What a scenario forges, its side never sent: the tracker must not take it for that side's doing.
      facts = origin === 'user' ? this.#tracker.look(arrival) : this.#tracker.arrive(arrival);
      const { effects, marks } = this.#engine.arrive(arrival, facts);
      draft.faults.push(...marks);
      this.#carryOutAll(effects, atNs, { id, packet, segment });
      if (!effects.some((effect) => goesOn(effect, id))) this.#lost?.(packet);
    }
    this.#draft = undefined;
    this.#recorder.arrived({
      kind: 'segment',
      id,
      atNs,
      from,
      origin,
      packet,
      ...(facts === undefined ? {} : { facts }),
      deliveries: draft.deliveries,
      faults: draft.faults,
      held: draft.held,
    });
    if (origin === 'endpoint') this.#look?.(from, segment);
  }

  /** Puts a packet that nobody sent onto the wire. It passes the fault plan as if it came from the other side. */
  inject(packet: Uint8Array, to: Side): void {
    this.arrive(otherSide(to), packet, this.#clock.now(), 'user');
  }

  add(...faults: readonly Fault[]): void {
    this.#engine.add(...faults);
  }

  remove(...ids: readonly string[]): void {
    this.#carryOutAll(this.#engine.remove(...ids), this.#clock.now());
  }

  /** The number of segments let go. */
  release(fault: string): number {
    const effects = this.#engine.release(fault);
    this.#carryOutAll(effects, this.#clock.now());
    return effects.filter((effect) => effect.kind === 'deliver').length;
  }

  receipts(): readonly Receipt[] {
    return this.#engine.receipts();
  }

  /** Forgets all that is under way. */
  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#held.clear();
  }

  #nextId(): number {
    this.#arrivals += 1;
    return this.#arrivals;
  }

  /** Delays count from `fromNs`. `inHand` is the packet that arrives, where one does. */
  #carryOutAll(effects: readonly Effect[], fromNs: Nanos, inHand?: InHand): void {
    for (const effect of effects) this.#carryOut(effect, fromNs, inHand);
    if (this.#held.size === 0) return;
    // Only now: what was held may go on in several copies.
    for (const effect of effects) if (effect.kind === 'deliver') this.#held.delete(effect.arrival);
  }

  #carryOut(effect: Effect, fromNs: Nanos, inHand: InHand | undefined): void {
    switch (effect.kind) {
      case 'deliver': {
        const { arrival, to, packet, delayNs } = effect;
        const arrived = inHand?.id === arrival ? inHand.packet : (this.#held.get(arrival) ?? packet);
        const segment = inHand?.packet === packet ? inHand.segment : undefined;
        this.#bring(to, fromNs + delayNs, () => this.#deliver({ arrival, to, packet, arrived, segment }));
        return;
      }
      case 'drop': {
        const held = this.#held.get(effect.arrival);
        if (held === undefined) return;
        this.#held.delete(effect.arrival);
        this.#recorder.updated(effect.arrival, { held: false });
        this.#lost?.(held);
        return;
      }
      case 'hold':
        this.#hold(effect.arrival, inHand);
        return;
      case 'inject':
        this.#after(fromNs + effect.delayNs, () => this.#forge(effect));
        return;
    }
  }

  #hold(arrival: number, inHand: InHand | undefined): void {
    this.#checkRoom();
    if (inHand?.id === arrival) this.#held.set(arrival, inHand.packet);
    if (this.#draft?.id === arrival) this.#draft.held = true;
    else this.#recorder.updated(arrival, { held: true });
  }

  /** Delivers what leaves the wire for a side at `atNs`. A link brings one packet after another: no two at the same nanosecond. */
  #bring(to: Side, atNs: Nanos, deliver: () => void): void {
    if (this.#latencyNs === 0) {
      this.#after(atNs, deliver);
      return;
    }
    let dueNs = atNs + this.#latencyNs;
    while (this.#dueNs[to].has(dueNs)) dueNs += 1;
    this.#dueNs[to].add(dueNs);
    this.#after(dueNs, () => {
      this.#dueNs[to].delete(dueNs);
      deliver();
    });
  }

  #after(dueNs: Nanos, action: () => void): void {
    if (dueNs <= this.#clock.now()) {
      action();
      return;
    }
    this.#checkRoom();
    const timer = this.#clock.at(dueNs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  #checkRoom(): void {
    if (this.#held.size + this.#timers.size < MAX_PACKETS_UNDERWAY) return;
    throw new RangeError(
      `the wire keeps ${MAX_PACKETS_UNDERWAY} packets already, delayed or held: let some go, or match fewer`,
    );
  }

  #deliver(parcel: {
    readonly arrival: number;
    readonly to: Side;
    readonly packet: Uint8Array;
    /** What arrived, to tell whether `packet` is still that. */
    readonly arrived: Uint8Array;
    /** `packet` decoded, where that was done already. */
    readonly segment: Segment | undefined;
  }): void {
    const { arrival, to, packet, arrived } = parcel;
    const segment = parcel.segment ?? decodeSegment(packet);
    // Stamped before it leaves, so that nothing it causes can bear an earlier stamp.
    const atNs = this.#clock.now();
    const delivery: Delivery = packet === arrived ? { atNs, to } : { atNs, to, packet };
    this.#carriers[to].send(packet, arrived);
    if (segment !== undefined) this.#tracker.delivered(segment, to);
    if (this.#draft?.id === arrival) this.#draft.deliveries.push(delivery);
    else this.#recorder.delivered(arrival, delivery);
    this.#look?.(to, segment);
  }

  /** A segment made by a fault comes onto the wire and goes straight on: it does not pass the plan again. */
  #forge({ to, packet, fault }: Effect & { kind: 'inject' }): void {
    const id = this.#nextId();
    const from = otherSide(to);
    const atNs = this.#clock.now();
    const segment = decodeSegment(packet);
    const facts = segment && this.#tracker.look({ id, atNs, from, packet, segment });
    this.#recorder.arrived({
      kind: 'segment',
      id,
      atNs,
      from,
      origin: 'fault',
      packet,
      ...(facts === undefined ? {} : { facts }),
      deliveries: [],
      faults: [{ fault, what: 'injected' }],
      held: false,
    });
    this.#bring(to, atNs, () => this.#deliver({ arrival: id, to, packet, arrived: packet, segment }));
  }
}
