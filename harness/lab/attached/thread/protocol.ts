/** What the main thread and the thread of an attached wire say to each other. Plain data, posted. */
import type { Fault, Receipt, Side } from '../../../fault/index.js';
import type { DiagSocket } from '../../../observe/index.js';
import type { SyncResult, WireRequest } from '../../wire-request.js';
import type { Intake } from '../intake.js';

/** A namespace that the wire is put through. */
export interface GateOptions {
  readonly namespaceFd: number;
  readonly intake: Intake;
}

/** What the thread needs to begin. */
export interface AttachedThreadOptions {
  /** One that has both sides, or one for each side that is no scripted peer. */
  readonly gates: readonly GateOptions[];
  /** The side that is a scripted peer on the main thread. */
  readonly peer?: Side;
  readonly faults: readonly Fault[];
  /** Looks at sockets of the namespaces; without, nobody does. */
  readonly looks: boolean;
  readonly hasTracepoints: boolean;
  /** Readable when there are commands. */
  readonly wakeFd: number;
  /** Counts what was posted; negative: end. */
  readonly posted: Int32Array;
  readonly epochNs: bigint;
  readonly mayWatch: boolean;
}

export type AttachedRequest =
  /** The numbers of the queues, for the rules: one for each gate. */
  | { readonly kind: 'queues' }
  /** Whether a segment that the gate's namespace sends itself comes by the queue. */
  | { readonly kind: 'probe'; readonly gate: number }
  /** Segments that passed unseen. */
  | { readonly kind: 'missed' }
  /** All sockets of the namespaces. */
  | { readonly kind: 'sockets' }
  | WireRequest;

export type ProbeResult =
  | { readonly kind: 'seen' | 'unseen' }
  /** It could not be sent. */
  | { readonly kind: 'impossible'; readonly why: string };

export type AttachedCommand =
  | { readonly call: number; readonly request: AttachedRequest }
  /** A packet of the scripted peer. Not answered. */
  | { readonly peerPacket: Uint8Array };

export type AttachedValue =
  | number
  | readonly number[]
  | ProbeResult
  | readonly DiagSocket[]
  | SyncResult
  | readonly Receipt[]
  | undefined;
