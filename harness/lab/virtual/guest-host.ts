/** A booted guest as labs see it: its agent, its tracepoints, and a place on its wire for each lab. */
import type { Clock, Nanos } from '../../clock/index.js';
import { AgentClient, AgentGone, type RequestName, SocketError } from '../../endpoint/index.js';
import { NETLINK_ROUTE, type NetlinkMessage, type NetlinkRequest } from '../../sys/index.js';
import { messageOf } from '../../text/index.js';
import { type Card, type Guest, GuestDied, type GuestRun } from '../../uml/index.js';
import { askThroughAgent } from '../agent-netlink.js';
import { findLink, linkIndex, setUp } from '../rtnetlink-messages.js';
import { AgentWatch } from './agent-watch.js';
import { decodeFrame, ETHERTYPE_IPV4, ETHERTYPE_IPV6, encodeFrame } from './ethernet.js';
import { FrameChannel } from './frame-channel.js';
import { GuestTracing } from './guest-tracing.js';
import { isHousekeeping, neighbourAnswer } from './neighbours.js';

/** The two of a guest's cards that are on the wire. */
export type WireCard = Exclude<Card, 'control'>;

const CARD_NAMES: Readonly<Record<WireCard, string>> = { wire: 'vec0', wide: 'vec2' };
const OWN_NAMESPACE = 0;
/** The wire's own, as every stack sees its neighbour. */
const WIRE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xfe);
/** What is asked with these changes no socket: whoever looks must not be told of his own looking. */
const LOOKS: ReadonlySet<RequestName> = new Set(['READ', 'NETLINK']);
/** Frames that pass before the tracing buffer is emptied, so that it cannot run over. */
const DRAIN_AFTER_FRAMES = 2000;

export interface HostOptions {
  /** The timeline's time at which the guest's clock was 0. */
  readonly guestEpochNs: Nanos;
  readonly clock: Clock;
  /** Called when the guest's agent is of no use any more: the guest must be ended then, but not in this call. */
  readonly lost: (error: GuestDied) => void;
}

/** Takes an IP packet that a lab's card sent, at the time when it left. */
export type TakePacket = (packet: Uint8Array) => void;

export class GuestHost {
  readonly client: AgentClient;
  /** `linux@6.12.117` */
  readonly stack: string;
  readonly tracing: GuestTracing;
  readonly #guest: Guest;
  readonly #takers: Map<number, TakePacket>;
  #failure: Error | undefined;
  readonly #failed = new Set<(error: Error) => void>();
  readonly #cards = new Map<WireCard, Promise<number>>();
  #sequence = 0;
  #frames = 0;
  /** Those who want to hear at once of what happens here. */
  #attending = 0;
  /** A packet has come or gone since it rested last, or something was asked of a socket. */
  #hasHappened = false;
  /** When something of its own happens next. */
  #dueNs: Nanos = 0;

  private constructor(
    guest: Guest,
    parts: {
      client: AgentClient;
      stack: string;
      tracing: GuestTracing;
      takers: Map<number, TakePacket>;
    },
  ) {
    this.#guest = guest;
    this.client = parts.client;
    this.stack = parts.stack;
    this.tracing = parts.tracing;
    this.#takers = parts.takers;
  }

  /** Speaks with the agent of a guest that has booted. The timeline must go on meanwhile. Rejects with why the guest ended, if it does. */
  static async open(guest: Guest, { guestEpochNs, clock, lost }: HostOptions): Promise<GuestHost> {
    const lose = (reason: string) => lost(new GuestDied(guest.name, reason));
    const channel = new FrameChannel((frame) => {
      guest.send('control', frame);
      watch.asked();
    });
    const takers = new Map<number, TakePacket>();
    let host: GuestHost | undefined;
    let failure: Error | undefined;
    guest.onFrame((card: Card, frame) => {
      if (card === 'control') channel.take(frame);
      else host?.take(card, frame);
    });
    const client = new AgentClient(channel, (name) => host?.asked(name));
    const watch = new AgentWatch({
      clock,
      isWaiting: () => client.isWaiting,
      ask: () => client.hello(),
      silent: () => lose('its agent answers no more'),
    });
    // Whoever asks it anything hears why not.
    channel.onClose(() => void client.hello().catch((error: unknown) => lose(messageOf(error))));
    guest.onRest((run) => host?.rested(run));
    guest.onGone((error) => {
      failure = error;
      watch[Symbol.dispose]();
      host?.fail(error);
      channel.end(error instanceof GuestDied ? error.sentence : error.message);
    });
    try {
      const { stack } = await client.hello();
      await letSleep(client);
      const tracing = await GuestTracing.open(client, guestEpochNs);
      host = new GuestHost(guest, { client, stack, tracing, takers });
      return host;
    } catch (error) {
      // What it said made no sense, and we have hung up.
      const isOurs = error instanceof AgentGone;
      throw failure ?? (isOurs ? guest.explain(new GuestDied(guest.name, error.message)) : error);
    }
  }

  get name(): string {
    return this.#guest.name;
  }

  /** Why it can be used no longer. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Index of the card of the wire that a lab's card sits on; it is up then. */
  card(card: WireCard): Promise<number> {
    const known = this.#cards.get(card) ?? this.#openCard(card);
    this.#cards.set(card, known);
    return known;
  }

  async #openCard(card: WireCard): Promise<number> {
    const name = CARD_NAMES[card];
    if (card === 'wide') this.#guest.useWide();
    // It never says anything by itself.
    await this.client.writeFile(OWN_NAMESPACE, `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
    const [link] = await this.netlink(OWN_NAMESPACE, NETLINK_ROUTE, findLink(name));
    if (link === undefined) throw new Error(`${this.name} has no card ${name}`);
    const index = linkIndex(link);
    await this.netlink(OWN_NAMESPACE, NETLINK_ROUTE, setUp(index));
    return index;
  }

  /** Puts a packet before the lab's card with this MAC. */
  send(card: WireCard, mac: Uint8Array, packet: Uint8Array): void {
    const etherType = (packet[0] ?? 0) >> 4 === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
    this.#guest.send(card, encodeFrame({ destination: mac, source: WIRE_MAC, etherType, payload: packet }));
    this.#count();
  }

  /** Hands over what the card with this MAC sends, until the returned function is called. */
  onPacket(mac: Uint8Array, take: TakePacket): () => void {
    const key = macKey(mac);
    this.#takers.set(key, take);
    return () => this.#takers.delete(key);
  }

  /** Called when the guest is gone: at once where it is. */
  onFailure(failed: (error: Error) => void): () => void {
    if (this.#failure !== undefined) failed(this.#failure);
    this.#failed.add(failed);
    return () => this.#failed.delete(failed);
  }

  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const failed of [...this.#failed]) failed(error);
  }

  /** Has tracing tell of everything at the time at which it happens, until the returned function is called. */
  attend(): () => void {
    this.#attending += 1;
    this.#guest.isStepwise = true;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#attending -= 1;
      this.#guest.isStepwise = this.#attending > 0;
    };
  }

  asked(name: RequestName): void {
    if (!LOOKS.has(name)) this.#hasHappened = true;
  }

  rested({ fromNs, dueNs }: GuestRun): void {
    const hasHappened = this.#hasHappened || fromNs >= this.#dueNs;
    this.#hasHappened = false;
    // A look lets the guest ask for a tick, in which nothing happens: what was due before is due still.
    if (hasHappened || fromNs >= dueNs) this.#dueNs = this.#guest.clock.nextNs;
    if (hasHappened && this.#attending > 0) this.#drain();
  }

  /** Asks netlink inside a namespace of the guest. */
  netlink(namespace: number, protocol: number, request: NetlinkRequest): Promise<readonly NetlinkMessage[]> {
    this.#sequence += 1;
    return askThroughAgent({ client: this.client, namespace }, protocol, request, this.#sequence);
  }

  take(card: WireCard, octets: Uint8Array): void {
    const frame = decodeFrame(octets);
    if (frame === undefined) return;
    const taker = this.#takers.get(macKey(frame.source));
    // A card of a lab that is gone: what is left of its connections is nobody's.
    if (taker === undefined) return;
    const answer = neighbourAnswer(octets, WIRE_MAC);
    if (answer !== undefined) {
      this.#guest.send(card, answer);
      return;
    }
    const isIp = frame.etherType === ETHERTYPE_IPV4 || frame.etherType === ETHERTYPE_IPV6;
    if (!isIp || isHousekeeping(frame.payload)) return;
    this.#count();
    taker(frame.payload);
  }

  #count(): void {
    this.#hasHappened = true;
    this.#frames += 1;
    if (this.#frames % DRAIN_AFTER_FRAMES === 0) this.#drain();
  }

  #drain(): void {
    // Whoever needs its result asks again, and hears of what went wrong.
    this.tracing.drain().catch(() => {});
  }
}

/** Work that the kernel does now and then on its tables of neighbours, and that would wake an idle guest every few seconds. */
const NEIGHBOUR_WORK = ['interval_probe_time_ms', 'base_reachable_time_ms'] as const;
const DAY_MS = 86_400_000;

/** The tables of neighbours are the whole kernel's: their settings are those of the first namespace. */
async function letSleep(client: AgentClient): Promise<void> {
  for (const family of ['ipv4', 'ipv6'])
    for (const setting of NEIGHBOUR_WORK) {
      const file = `/proc/sys/net/${family}/neigh/default/${setting}`;
      await client.writeFile(OWN_NAMESPACE, file, String(DAY_MS)).catch((error: unknown) => {
        // Linux before 5.18 has no probes at intervals.
        if (!(error instanceof SocketError && error.errno === 'ENOENT')) throw error;
      });
    }
}

/** The last three octets tell labs apart. */
const macKey = (mac: Uint8Array): number => ((mac[3] ?? 0) << 16) | ((mac[4] ?? 0) << 8) | (mac[5] ?? 0);
