/** Where endpoints live and whose clock counts: builds a topology, and tears it down whatever happens. */
import type { Clock, Nanos } from '../clock/index.js';
import type { CallRecord, Endpoint, PeerPort } from '../endpoint/index.js';
import type { Fault, Receipt, Side } from '../fault/index.js';
import type { Eye, NoteRecord, TransitionRecord } from '../observe/index.js';
import type { SegmentRecord, WireControl } from '../wire/index.js';

/** Kernel settings (sysctls below `net.`, without that prefix) of one side: `{ 'ipv4.tcp_orphan_retries': 2 }`. */
export type Settings = Readonly<Record<string, string | number>>;

export interface LabOptions {
  readonly ipVersion: 4 | 6;
  /** MTU of both ends' links, in octets (default 1500). */
  readonly mtu?: number;
  /** The two addresses (default: a pair that no other lab of this machine has). Observers tell labs apart by them. */
  readonly addresses?: Readonly<Record<Side, string>>;
  readonly faults?: readonly Fault[];
  readonly settings?: { readonly client?: Settings; readonly server?: Settings };
  /** The side that is a scripted peer instead of a stack. */
  readonly peer?: Side;
  /** `auto` (default): tracepoints where permitted, else snapshots of sock_diag at each segment. */
  readonly eyes?: 'auto' | 'tracepoint' | 'sock_diag' | 'none';
}

/** Everything that a lab saw, in no particular order; times in nanoseconds on the lab's clock. */
export interface Recording {
  readonly segments: readonly SegmentRecord[];
  readonly transitions: readonly TransitionRecord[];
  readonly notes: readonly NoteRecord[];
  readonly calls: readonly CallRecord[];
  readonly receipts: readonly Receipt[];
  readonly eyes: readonly Eye[];
  /** Wall-clock time of the lab's clock at 0, nanoseconds since 1970, as decimal text. */
  readonly epochUnixNs: string;
  readonly alignment: { readonly segmentsErrorNs: number; readonly transitionsErrorNs: number };
}

/** Tells that the states of a side's sockets may have changed. */
export interface StateChanges extends Disposable {
  /** Resolves at the instant of a change: at once when there was one since it resolved last, or since it was made. At `untilNs` in any case. */
  next(untilNs: Nanos): Promise<void>;
}

export interface Lab extends AsyncDisposable {
  readonly name: string;
  readonly ipVersion: 4 | 6;
  readonly clock: Clock;
  readonly wire: WireControl;
  /** The stack at a side. Throws for the side of the scripted peer. */
  endpoint(side: Side): Endpoint;
  /** The server's program, where it is a user's own that nobody drives. */
  readonly application?: string;
  /** Follows the states of a side's sockets. Absent where nothing tells of a change: whoever waits for one looks again and again. */
  changes?(side: Side): StateChanges;
  /** Address of a side, also of the peer's. */
  ip(side: Side): string;
  /** The way onto the wire for a scripted peer. Throws unless the lab was made with that `peer` side. */
  peerPort(): PeerPort;
  /** Waits until all that happened so far has been recorded. The lab goes on. */
  recording(): Promise<Recording>;
}
