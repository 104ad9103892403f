/** A scenario: a stimulus and its faults, to be run in a lab, and the checks that judge its trace. */
import type { Check } from '../check/index.js';
import type { Clock } from '../clock/index.js';
import type { Address, Endpoint, Peer, TcpState } from '../endpoint/index.js';
import type { Fault, Side } from '../fault/index.js';
import type { Settings } from '../lab/index.js';
import type { WireControl } from '../wire/index.js';

export type IpVersion = 4 | 6;

export interface Scenario {
  /** `suite/name`: `close/lost-final-ack`. Stable: expectations and reports refer to it. */
  readonly id: string;
  /** One sentence that begins with "ensures". */
  readonly title: string;
  readonly tags?: readonly string[];
  readonly ipVersions?: readonly IpVersion[];
  /** Kernel settings pinned for the run, by side. */
  readonly settings?: { readonly client?: Settings; readonly server?: Settings };
  readonly mtu?: number;
  readonly addresses?: Readonly<Record<Side, string>>;
  readonly faults?: readonly Fault[];
  /** The side that a scripted peer plays; absent where both are stacks under test. */
  readonly peer?: Side;
  /** The longest single timer of a stack that the scenario waits for: the run cannot be shorter than that. */
  readonly longestTimer?: { readonly name: string; readonly ms: number };
  /** Too long for real time: only a lab whose clock is virtual plays it. Says so by its `longestTimer`. */
  readonly clock?: 'virtual';
  /** The harness gives up after this long (default: 15 s and twice the longest timer). */
  readonly limitMs?: number;
  /** Brings the endpoints into the situation, applies the stimulus and waits for what follows. */
  play(stage: Stage): Promise<void>;
  readonly checks: readonly Check[];
}

/** What it takes to play a scenario, without what it takes to find and judge it. */
export type Story = Pick<
  Scenario,
  'id' | 'settings' | 'mtu' | 'addresses' | 'faults' | 'peer' | 'longestTimer' | 'limitMs' | 'play'
>;

/** What a scenario plays on. */
export interface Stage {
  readonly ipVersion: IpVersion;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** The scripted peer, on the side that the scenario gave it. */
  readonly peer: Peer;
  readonly wire: WireControl;
  readonly clock: Clock;
  /** Whether the caller asked to stay until the last timer (TIME-WAIT as a rule) has ended. */
  readonly untilClosed: boolean;
  /** Address of a side, also of the peer's. */
  ip(side: Side): string;
  /** Writes a remark into the trace. */
  mark(text: string): void;
  /**
   * Waits until a connection of `side` is in one of `states`. CLOSED is a connection that the stack no longer has.
   * Rejects with `WaitTimeout` after `withinMs`, naming the state it was in.
   */
  reaches(side: Side, states: TcpState | readonly TcpState[], options?: ReachOptions): Promise<void>;
  /** Lets time pass where there is no event to await, such as a peer's silence. The reason goes into the trace. */
  pass(ms: number, reason: string): Promise<void>;
}

export interface ReachOptions {
  /** How long to wait (default 10 s). */
  readonly withinMs?: number;
  /** Which connection, by its local address; default: any that is not listening. */
  readonly local?: Address;
}

/** How long the harness lets a story play. */
export const limitOf = (scenario: Pick<Scenario, 'limitMs' | 'longestTimer'>): number =>
  scenario.limitMs ?? 15_000 + 2 * (scenario.longestTimer?.ms ?? 0);
