/** One lab's wire on the wire's thread: the core with carriers below it and the outbox as its recorder. */

import type { Nanos } from '../../../clock/index.js';
import type { Receipt, Side } from '../../../fault/index.js';
import type { Segment } from '../../../segment/index.js';
import { messageOf } from '../../../text/index.js';
import { type Carrier, type Recorder, Wire } from '../../../wire/index.js';
import { obey } from '../../wire-request.js';
import { type Looker, makeLooker } from './looker.js';
import type { Outbox } from './outbox.js';
import type { OwnPort } from './own-port.js';
import type { PacketPort } from './packet-port.js';
import type { OpenWire, Report, Request } from './protocol.js';
import type { LabClock } from './thread-clock.js';

export interface LabWireOptions {
  readonly lab: number;
  readonly open: OpenWire;
  readonly clock: LabClock;
  readonly outbox: Outbox;
  readonly ownPort: OwnPort;
  portFor(mtu: number): PacketPort;
}

export class LabWire implements Disposable {
  readonly lab: number;
  readonly open: OpenWire;
  readonly #clock: LabClock;
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  readonly #looker: Looker | undefined;
  #lastArrivalNs: Nanos = 0;

  constructor(options: LabWireOptions) {
    const { lab, open, clock, outbox } = options;
    this.lab = lab;
    this.open = open;
    this.#clock = clock;
    this.#outbox = outbox;
    const looker = this.#openLooker();
    this.#looker = looker;
    this.#wire = new Wire({
      clock,
      carriers: { client: this.#carrier('client', options), server: this.#carrier('server', options) },
      recorder: this.#recorder(),
      faults: open.faults,
      ...(looker === undefined ? {} : { look: (side, segment) => this.#lookAt(looker, side, segment) }),
    });
  }

  #openLooker(): Looker | undefined {
    const { looker } = this.open;
    if (looker === undefined) return undefined;
    return makeLooker(looker, this.#clock, (record) => this.#put({ kind: 'seen', lab: this.lab, record }));
  }

  #lookAt(looker: Looker, side: Side, segment: Segment | undefined): void {
    if (this.open.sides[side].kind === 'link') looker.look(side, segment);
  }

  /** Looks at all sockets now. */
  lookAtAll(): void {
    this.#looker?.lookAtAll();
  }

  #carrier(side: Side, { open, ownPort, portFor }: LabWireOptions): Carrier {
    const options = open.sides[side];
    if (options.kind === 'own') {
      // Octets of its own: what is posted shares its memory with nothing.
      return { send: (packet) => ownPort.send({ lab: this.lab, side, packet: packet.slice() }) };
    }
    if (options.kind === 'peer') {
      return {
        send: (packet) => {
          const nowNs = this.#clock.now();
          this.#put({ kind: 'to-peer', lab: this.lab, packet, atNs: nowNs }, true);
        },
      };
    }
    const port = portFor(options.mtu);
    const { ifindex } = options;
    if (open.looker === undefined) return { send: (packet) => port.send(ifindex, packet) };
    return {
      send(packet) {
        port.send(ifindex, packet);
        // The look that follows must see what the packet has done.
        port.flush();
      },
    };
  }

  #recorder(): Recorder {
    const { lab } = this;
    return {
      arrived: (record) => this.#outbox.arrived(lab, record),
      delivered: (id, delivery) => this.#put({ kind: 'delivered', lab, id, delivery }),
      updated: (id, change) => this.#put({ kind: 'updated', lab, id, change }),
    };
  }

  #put(report: Report, isUrgent = false): void {
    this.#outbox.put(report, { isUrgent });
  }

  /** A packet came off a link, at `threadNs` on the thread's clock. Arrivals never go back in time, though the wall clock may. */
  fromLink(side: Side, packet: Uint8Array, threadNs: Nanos): void {
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, this.#clock.fromThread(threadNs));
    const kept = this.#outbox.keep(packet);
    this.#guard(() => this.#wire.arrive(side, kept, this.#lastArrivalNs, 'endpoint'));
  }

  fromPeer(packet: Uint8Array): void {
    const side: Side = this.open.sides.client.kind === 'peer' ? 'client' : 'server';
    this.#fromThread(side, packet, { atNs: this.#clock.now(), origin: 'peer' });
  }

  /** A packet left the project's own TCP. */
  fromOwn(side: Side, packet: Uint8Array, atNs: Nanos): void {
    this.#fromThread(side, packet, { atNs, origin: 'endpoint' });
  }

  #fromThread(
    side: Side,
    packet: Uint8Array,
    { atNs, origin }: { atNs: Nanos; origin: 'peer' | 'endpoint' },
  ): void {
    this.#lastArrivalNs = Math.max(this.#lastArrivalNs, atNs);
    this.#guard(() => this.#wire.arrive(side, packet, this.#lastArrivalNs, origin));
  }

  handle(request: Request): number | readonly Receipt[] | undefined {
    if (request.kind === 'open' || request.kind === 'close' || request.kind === 'sync')
      throw new TypeError(`a wire has no request ${request.kind}`);
    return obey(this.#wire, request);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(messageOf(error));
    }
  }

  /** The lab has lost its hold of the wire: what it recorded from here on must not be trusted. */
  fail(message: string): void {
    this.#put({ kind: 'failed', lab: this.lab, message }, true);
  }

  [Symbol.dispose](): void {
    this.#wire.close();
    this.#looker?.[Symbol.dispose]();
  }
}
