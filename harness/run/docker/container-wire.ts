/** A wire at containers, for tests: what it recorded as a trace, what its faults did, and waiting for states. */
import { release } from 'node:os';
import { idleFaults } from '../../check/index.js';
import type { SocketState, TcpState } from '../../endpoint/index.js';
import type { Receipt, Side } from '../../fault/index.js';
import type { Attachment, PairedWire, Recording } from '../../lab/index.js';
import type { Pair } from '../../observe/index.js';
import { decode } from '../../segment/index.js';
import { assemble, type MarkEvent, type Trace } from '../../trace/index.js';
import type { WireControl } from '../../wire/index.js';
import { reaching } from '../reaching.js';
import { Inconclusive } from '../record.js';
import type { ReachOptions } from '../scenario.js';

/** What is seen, and where. */
export interface Seen {
  readonly name: string;
  readonly lab: string;
  /** What is freed after the wire. */
  readonly belongings: AsyncDisposable;
}

export interface OpenedWire {
  readonly wire: Attachment | PairedWire;
  /** Whether a socket of these places is one of this side's connections. */
  isOf(side: Side, pair: Pair): boolean;
  readonly endpoints: readonly { readonly side: Side; readonly ip: string }[];
}

export class ContainerWire implements AsyncDisposable {
  /** Commands to the wire: `sees`, `add`, `release`, `quiet`, … */
  readonly wire: WireControl;
  /** Resolves when the wire can be trusted no longer. */
  readonly failed: Promise<Error>;
  readonly #seen: Seen;
  readonly #opened: OpenedWire;
  readonly #begin: MarkEvent;
  #disposal: Promise<void> | undefined;

  /** What `open` rejects with leaves nothing behind. */
  static async open(seen: Seen, open: () => Promise<OpenedWire>): Promise<ContainerWire> {
    try {
      return new ContainerWire(seen, await open());
    } catch (error) {
      await seen.belongings[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(seen: Seen, opened: OpenedWire) {
    this.#seen = seen;
    this.#opened = opened;
    this.wire = opened.wire.wire;
    this.failed = opened.wire.failed;
    this.#begin = { kind: 'mark', atNs: opened.wire.clock.now(), text: seen.name };
  }

  /** All so far. Rejects with `Inconclusive`, which has the trace, when a fault never acted or segments passed unseen. */
  async trace(): Promise<Trace> {
    const { name, lab } = this.#seen;
    const { wire, endpoints } = this.#opened;
    const recording = { calls: [], ...(await wire.recording()) };
    const trace = assemble(recording, {
      scenario: name,
      lab,
      ipVersion: versionOf(recording),
      // The kernel under a container of this machine is this machine's.
      endpoints: endpoints.map((each) => ({ ...each, stack: `linux@${release()}` })),
      marks: [this.#begin],
    });
    const missed = await wire.missed();
    const reason =
      missed === 0 ? idleFaults(trace) : `${missed} segments passed unseen, for they came too fast`;
    if (reason !== undefined) throw new Inconclusive(`${name}: ${reason}`, trace);
    return trace;
  }

  /** How many segments each fault has matched and acted on so far. */
  receipts(): Promise<readonly Receipt[]> {
    return this.wire.receipts();
  }

  /** Waits until a connection of this side is in one of these states; CLOSED is when none is left. Rejects with `WaitTimeout`. */
  async reaches(side: Side, states: TcpState | readonly TcpState[], options?: ReachOptions): Promise<void> {
    const sockets = () => this.#sockets(side);
    await reaching({ side, clock: this.#opened.wire.clock, sockets }, states, options);
  }

  async #sockets(side: Side): Promise<readonly SocketState[]> {
    const { isOf, wire } = this.#opened;
    return (await wire.sockets()).filter((socket) => isOf(side, socket));
  }

  /** Takes the wire out: traffic flows as before. What faults hold or delay is lost, and TCP sends it again. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    try {
      await this.#opened.wire[Symbol.asyncDispose]();
    } finally {
      await this.#seen.belongings[Symbol.asyncDispose]();
    }
  }
}

function versionOf({ segments: [first] }: Pick<Recording, 'segments'>): 4 | 6 {
  const decoded = first && decode(first.packet);
  return decoded?.kind === 'segment' ? decoded.segment.ip.version : 4;
}
