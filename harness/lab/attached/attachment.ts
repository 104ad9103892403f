/**
 * A wire through the hooks of a network namespace that somebody else made: segments of one port that leave it or come to it pass a fault plan,
 * and what its sockets do is watched. Real time. When it is disposed of, or the process ends, traffic flows as before.
 */
import { networkInterfaces } from 'node:os';
import { type Clock, type Nanos, RealClock } from '../../clock/index.js';
import type { Address } from '../../endpoint/index.js';
import type { Fault, Side } from '../../fault/index.js';
import { type NoteRecord, SockDiag, type TransitionRecord } from '../../observe/index.js';
import { decode } from '../../segment/index.js';
import { monotonicNs, type NetworkNamespace } from '../../sys/index.js';
import type { SegmentRecord, WireControl } from '../../wire/index.js';
import type { LabOptions, Recording } from '../lab.js';
import { Eyes } from '../netns/eyes.js';
import { WireDesk } from '../wire-desk.js';
import type { SyncResult, WireRequest } from '../wire-request.js';
import { AttachRefused } from './attach-errors.js';
import { type AttachedReport, AttachedThread } from './attached-thread.js';
import { tryHooks } from './hooks.js';
import { NamespaceRules } from './namespace-rules.js';
import { ownedPairs } from './owned-pairs.js';
import type { Target } from './target.js';
import type { ProbeResult } from './thread/protocol.js';

export interface AttachOptions {
  /** Whose network namespace. Stays the caller's, to be disposed of after the attachment. */
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
}

/** Rejects with `AttachRefused`, in one sentence; then nothing is left behind. */
export async function attach(options: AttachOptions): Promise<Attachment> {
  tryHooks(options.target.namespace);
  const attachment = new Attachment(options);
  try {
    await attachment.open();
    return attachment;
  } catch (error) {
    await attachment[Symbol.asyncDispose]();
    throw error;
  }
}

export class Attachment implements AsyncDisposable {
  readonly clock: Clock;
  readonly wire: WireControl;
  /** Resolves when the wire can be trusted no longer. */
  readonly failed: Promise<Error>;
  readonly #options: AttachOptions;
  readonly #desk: WireDesk;
  readonly #thread: AttachedThread;
  readonly #eyes: Eyes;
  readonly #localIps: Set<string>;
  /** The two ends of connections that were seen on the wire. */
  readonly #pairs = new Set<string>();
  #fail: (error: Error) => void = () => {};
  #rules: NamespaceRules | undefined;
  #attachedNs: Nanos = 0;
  #start: SyncResult | undefined;
  #isClosed = false;

  constructor(options: AttachOptions) {
    const { target, port, faults = [], eyes = 'auto' } = options;
    const epochNs = monotonicNs();
    this.#options = options;
    this.clock = new RealClock(epochNs);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
    this.#localIps = ipsOf(target.namespace);
    const [asClient, asServer] = this.#ends();
    this.#eyes = new Eyes({
      wanted: eyes,
      epochNs,
      sideOf: (local, remote) => {
        const pair = { local, remote };
        return asServer(pair) ? 'server' : asClient(pair) ? 'client' : undefined;
      },
    });
    this.#thread = new AttachedThread(
      {
        namespaceFd: target.namespace.fd,
        port,
        faults,
        looks: this.#eyes.looks,
        hasTracepoints: this.#eyes.hasTracepoints,
        localIps: [...this.#localIps],
        epochNs,
      },
      (report) => this.#take(report),
    );
    this.#desk = new WireDesk({
      clock: this.clock,
      ask: (request: WireRequest) => this.#thread.request(request),
    });
    this.wire = this.#desk;
  }

  #ends() {
    const { port } = this.#options;
    const owned = (side: Side) => ownedPairs({ side, port, localIps: this.#localIps });
    return [owned('client'), owned('server')] as const;
  }

  async open(): Promise<void> {
    const { target, port } = this.#options;
    // The thread answers each request with its own kind of value.
    const queue = (await this.#thread.request({ kind: 'queue' })) as number;
    this.#start = await this.#desk.sync();
    this.#attachedNs = this.clock.now();
    this.#rules = new NamespaceRules(target.namespace, { port, queue });
    const probe = (await this.#thread.request({ kind: 'probe' })) as ProbeResult;
    if (probe.kind === 'unseen')
      throw new AttachRefused(
        `the segments of ${target.text} do not come to lastack, though the rules are there: another rule or program takes them before ("iptables-save" shows the rules)`,
      );
  }

  /** When it was attached: nothing that it tells of was before. */
  get attachedNs(): Nanos {
    return this.#attachedNs;
  }

  /** What there is at the port now. */
  present(): Present {
    const [asClient, asServer] = this.#ends();
    const sockets = this.#options.target.namespace.run(() => {
      using diag = new SockDiag();
      return ([4, 6] as const).flatMap((ipVersion) => diag.dump({ ipVersion }));
    });
    const own = sockets.filter((socket) => asClient(socket) || asServer(socket));
    return {
      listeners: own.filter(({ state }) => state === 'LISTEN').map(({ local }) => local),
      connections: own.filter(({ state }) => state !== 'LISTEN' && state !== 'CLOSED').length,
    };
  }

  /** Segments that passed unseen, since there was no room for them. */
  async missed(): Promise<number> {
    return (await this.#thread.request({ kind: 'missed' })) as number;
  }

  /** All so far, without another look at the sockets. */
  async glance(): Promise<Recording> {
    const receipts = await this.#desk.receipts();
    return this.#recording(receipts, this.#start);
  }

  /** All that is known here, of a wire that has failed. */
  remains(): Recording {
    return this.#recording([], this.#start);
  }

  /** Waits until all that happened so far has been recorded. */
  async recording(): Promise<Recording> {
    const { stampErrorNs, epochUnixNs } = await this.#desk.sync();
    return this.#recording(await this.#desk.receipts(), { stampErrorNs, epochUnixNs });
  }

  #recording(receipts: Recording['receipts'], sync: SyncResult | undefined): Recording {
    const { transitions, notes } = this.#eyes.seen();
    return {
      // A wire that failed at a segment has no record of it.
      segments: Object.values(this.#desk.records()),
      // Of what was there before, nobody saw how it came about.
      transitions: transitions.filter((each) => this.#isOwn(each) && each.atNs > this.#attachedNs),
      notes: notes.filter((each) => this.#isOwn(each) && each.atNs > this.#attachedNs),
      calls: [],
      receipts,
      eyes: this.#eyes.names,
      epochUnixNs: (sync?.epochUnixNs ?? 0n).toString(),
      // The kernel tells stamps to the microsecond.
      alignment: {
        segmentsErrorNs: (sync?.stampErrorNs ?? 0) + 1000,
        transitionsErrorNs: this.#eyes.errorNs,
      },
    };
  }

  /** Tracepoints hear of every namespace: a connection of this one has sent something on the wire. Listeners, the looks tell. */
  #isOwn({ local, remote, eye }: TransitionRecord | NoteRecord): boolean {
    if (remote.port === 0) return eye !== 'tracepoint';
    return eye !== 'tracepoint' || this.#pairs.has(pairKey(local, remote));
  }

  #take(report: AttachedReport): void {
    switch (report.kind) {
      case 'seen':
        this.#eyes.take(report.record);
        return;
      case 'arrived':
        this.#learn(report.record);
        this.#desk.take(report);
        return;
      case 'failed':
        this.#desk.take(report);
        this.#fail(new Error(report.message));
        return;
      default:
        this.#desk.take(report);
    }
  }

  #learn({ packet, hook, facts }: SegmentRecord): void {
    const decoded = decode(packet);
    if (decoded.kind !== 'segment' || facts === undefined) return;
    const { ip, srcPort, dstPort } = decoded.segment;
    const [from, to] = [
      { ip: ip.src, port: srcPort },
      { ip: ip.dst, port: dstPort },
    ] as const;
    this.#pairs.add(pairKey(from, to)).add(pairKey(to, from));
    if (hook !== undefined) this.#localIps.add(hook === 'output' ? ip.src : ip.dst);
  }

  /** The rules that were added, and those that were there to be taken out at the end. */
  get rules(): { readonly added: number; readonly removed: number } {
    return this.#rules?.counts ?? { added: 0, removed: 0 };
  }

  /** Takes the rules out first: from then on nothing more comes to the queue. What faults hold or delay is lost, and TCP sends it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#rules?.[Symbol.dispose]();
    } finally {
      this.#desk.fail(new Error('the wire was closed'));
      await this.#thread.close();
      this.#eyes[Symbol.dispose]();
    }
  }
}

const pairKey = (a: Address, b: Address): string => `${a.ip} ${a.port} ${b.ip} ${b.port}`;

const ipsOf = (namespace: NetworkNamespace): Set<string> =>
  new Set(
    Object.values(namespace.run(networkInterfaces)).flatMap((addresses = []) =>
      addresses.map(({ address }) => address),
    ),
  );
