/**
 * The embedded default: a stack is the kernel that this machine runs, in a network namespace of its own, or the project's own TCP in this
 * process; the wire lies between the far ends of the kernels' links and this thread. Real time, no helper programs, nothing that outlives
 * the process.
 */
import { type Clock, RealClock } from '../../clock/index.js';
import {
  type CallRecord,
  type Endpoint,
  KernelEndpoint,
  OWN_STACK,
  type PeerPort,
} from '../../endpoint/index.js';
import { otherSide, SIDES, type Side } from '../../fault/index.js';
import { SockDiag } from '../../observe/index.js';
import { monotonicNs, type NetworkNamespace } from '../../sys/index.js';
import type { WireControl } from '../../wire/index.js';
import type { Lab, LabOptions, Recording } from '../lab.js';
import { isOwn } from '../own-connections.js';
import { QueuedPeerPort } from '../queued-peer-port.js';
import { WireDesk } from '../wire-desk.js';
import { explainLabFailure } from './explain.js';
import { Eyes } from './eyes.js';
import type { Leg } from './leg.js';
import type { OwnEnd } from './own-thread.js';
import { dieWithParent } from './privilege.js';
import { Topology } from './topology.js';
import { type LabReport, WireThread } from './wire-thread.js';

/** This machine's kernel, or `stack`, the project's own TCP. */
export type NetnsStack = 'linux' | typeof OWN_STACK;

export type NetnsStacks = Readonly<Record<Side, NetnsStack>>;

/** Labs between these stacks. */
export const netnsLabs =
  (stacks: NetnsStacks) =>
  (options: LabOptions): Promise<NetnsLab> =>
    openLab(options, stacks);

/** A lab of this machine's kernel on both sides; free it with `await using` or its `asyncDispose`. Rejects with one sentence on what is missing. */
export const openNetnsLab = (options: LabOptions): Promise<NetnsLab> =>
  openLab(options, { client: 'linux', server: 'linux' });

/** One leg of a way between this machine's kernels. */
export const openNetnsLeg = (options: LabOptions, leg: Leg): Promise<NetnsLab> =>
  openLab(options, { client: 'linux', server: 'linux' }, leg);

async function openLab(options: LabOptions, stacks: NetnsStacks, leg?: Leg): Promise<NetnsLab> {
  dieWithParent();
  const epochNs = leg?.epochNs ?? monotonicNs();
  const stackSides = SIDES.filter((side) => side !== options.peer);
  const kernels = stackSides.filter((side) => stacks[side] !== OWN_STACK);
  let parts: { thread: WireThread; topology: Topology; eyes: Eyes };
  try {
    const thread = WireThread.shared();
    const topology = new Topology(options, kernels, thread, leg);
    parts = {
      thread,
      topology,
      eyes: openEyes(kernels.length > 0 ? options : { eyes: 'none' }, epochNs, topology),
    };
  } catch (error) {
    throw explainLabFailure(error);
  }
  const lab = new NetnsLab(options, { ...parts, epochNs });
  try {
    await lab.open(
      options,
      stackSides.filter((side) => !kernels.includes(side)),
    );
    return lab;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw explainLabFailure(error);
  }
}

function openEyes({ eyes = 'auto' }: Pick<LabOptions, 'eyes'>, epochNs: bigint, topology: Topology): Eyes {
  try {
    return new Eyes({
      wanted: eyes,
      epochNs,
      sideOf: (local, remote) => topology.sideOf(local.ip, remote.ip),
    });
  } catch (error) {
    topology[Symbol.dispose]();
    throw error;
  }
}

export class NetnsLab implements Lab {
  readonly name = 'netns';
  readonly ipVersion: 4 | 6;
  readonly clock: Clock;
  readonly wire: WireControl;
  readonly #wire: WireDesk;
  readonly #epochNs: bigint;
  readonly #thread: WireThread;
  readonly #topology: Topology;
  readonly #eyes: Eyes;
  readonly #endpoints = new Map<Side, { endpoint: KernelEndpoint; diag: SockDiag }>();
  readonly #own = new Map<Side, OwnEnd>();
  readonly #peerPort: QueuedPeerPort | undefined;
  readonly #calls: CallRecord[] = [];
  #number: number | undefined;
  #isClosed = false;

  constructor(
    options: LabOptions,
    parts: { thread: WireThread; topology: Topology; eyes: Eyes; epochNs: bigint },
  ) {
    this.ipVersion = options.ipVersion;
    this.#epochNs = parts.epochNs;
    this.#thread = parts.thread;
    this.#topology = parts.topology;
    this.#eyes = parts.eyes;
    this.clock = new RealClock(parts.epochNs);
    this.#wire = new WireDesk({
      clock: this.clock,
      ask: (request) => this.#thread.request(this.#openNumber(), request),
    });
    this.wire = this.#wire;
    for (const side of SIDES) this.#addEndpoint(side);
    if (options.peer !== undefined) this.#peerPort = this.#makePeerPort(options.peer);
  }

  #addEndpoint(side: Side): void {
    const namespace = this.#topology.namespace(side);
    if (namespace === undefined) return;
    const diag = namespace.run(() => new SockDiag());
    const endpoint = new KernelEndpoint({
      side,
      namespace,
      ip: this.ip(side),
      clock: this.clock,
      log: (record) => this.#calls.push(record),
      sockets: () => diag.dump({ ipVersion: this.ipVersion }),
    });
    this.#endpoints.set(side, { endpoint, diag });
  }

  /** Rejects with `Unsupported` for settings that the stack cannot have. */
  async #addOwnSide(side: Side, { settings }: LabOptions): Promise<void> {
    const own = await this.#thread.ownThread().open({
      lab: this.#openNumber(),
      side,
      ip: this.ip(side),
      mtu: this.#topology.mtu,
      settings: settings?.[side] ?? {},
      epochNs: this.#epochNs,
      clock: this.clock,
      log: (record) => this.#calls.push(record),
      failed: (error) => this.#wire.fail(error),
    });
    this.#own.set(side, own);
  }

  #makePeerPort(side: Side): QueuedPeerPort {
    return new QueuedPeerPort({
      side,
      clock: this.clock,
      ip: this.ip(side),
      remoteIp: this.ip(otherSide(side)),
      send: (packet) => this.#thread.peerPacket(this.#openNumber(), packet),
    });
  }

  async open(options: LabOptions, ownSides: readonly Side[]): Promise<void> {
    const { ipVersion, faults = [] } = options;
    const ends = SIDES.flatMap((side) => {
      const namespace = this.#topology.namespace(side);
      if (namespace === undefined) return [];
      const remoteIp = this.#topology.isShared(side) ? { remoteIp: this.ip(otherSide(side)) } : {};
      return [{ side, namespaceFd: namespace.fd, ip: this.ip(side), ...remoteIp }];
    });
    const looker = { ipVersion, ends, hasTracepoints: this.#eyes.hasTracepoints };
    const open = {
      epochNs: this.#epochNs,
      sides: {
        client: this.#topology.sideOptions('client'),
        server: this.#topology.sideOptions('server'),
      },
      faults,
      ...(this.#eyes.looks ? { looker } : {}),
    };
    await this.#topology.ready();
    this.#number = await this.#thread.open(open, (report) => this.#take(report));
    for (const side of ownSides) await this.#addOwnSide(side, options);
  }

  #take(report: LabReport): void {
    switch (report.kind) {
      case 'seen':
        this.#eyes.take(report.record);
        return;
      case 'to-peer':
        this.#peerPort?.deliver(report.packet, report.atNs);
        return;
      default:
        this.#wire.take(report);
    }
  }

  endpoint(side: Side): Endpoint {
    const found = this.#endpoints.get(side) ?? this.#own.get(side);
    if (found === undefined)
      throw new TypeError(`the ${side} of this lab is a scripted peer: it has no endpoint, use peerPort()`);
    return found.endpoint;
  }

  ip(side: Side): string {
    return this.#topology.ip(side);
  }

  /** The namespace of a side's stack, for sockets that no endpoint drives. */
  namespace(side: Side): NetworkNamespace {
    const namespace = this.#topology.namespace(side);
    if (namespace === undefined)
      throw new TypeError(`the ${side} of this lab is no kernel: it has no namespace`);
    return namespace;
  }

  peerPort(): PeerPort {
    if (this.#peerPort === undefined)
      throw new TypeError('this lab has a stack on both sides: open it with the option "peer" set to a side');
    return this.#peerPort;
  }

  async recording(): Promise<Recording> {
    const { stampErrorNs, epochUnixNs } = await this.#wire.sync();
    const drops = this.#topology.linkDrops();
    if (drops > 0)
      throw new Error(
        `the kernel lost ${drops} packets between the stacks and the wire: run fewer jobs at once`,
      );
    const receipts = await this.#wire.receipts();
    const segments = [...this.#wire.records()];
    const ofOwn = await Promise.all([...this.#own.values()].map((own) => own.reported()));
    const seen = [this.#eyes.seen(), ...ofOwn];
    const transitions = seen.flatMap((each) => each.transitions);
    const notes = seen.flatMap((each) => each.notes).sort((a, b) => a.atNs - b.atNs);
    const isOfThisLab = isOwn(segments);
    return {
      segments,
      transitions: transitions.filter(isOfThisLab),
      notes: notes.filter(isOfThisLab),
      calls: [...this.#calls],
      receipts,
      eyes: this.#own.size > 0 ? [...this.#eyes.names, 'report'] : this.#eyes.names,
      epochUnixNs: epochUnixNs.toString(),
      alignment: { segmentsErrorNs: stampErrorNs, transitionsErrorNs: this.#eyes.errorNs },
    };
  }

  #openNumber(): number {
    if (this.#number === undefined) throw new Error('the lab is closed');
    return this.#number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const number = this.#number;
    this.#number = undefined;
    this.#wire.fail(new Error('the lab was closed'));
    try {
      // Before the wire: what a stack says when it goes concerns nobody any more.
      for (const own of this.#own.values()) await own[Symbol.asyncDispose]();
      if (number !== undefined) await this.#thread.close(number);
    } finally {
      for (const { endpoint, diag } of this.#endpoints.values()) {
        await endpoint[Symbol.asyncDispose]();
        diag[Symbol.dispose]();
      }
      this.#eyes[Symbol.dispose]();
      this.#topology[Symbol.dispose]();
    }
  }
}
