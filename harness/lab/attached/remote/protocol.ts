/** What a harness and the process of a wire say to each other: frames of plain data over the process's standard input and output. */
import type { Fault, Side } from '../../../fault/index.js';
import type { Intake } from '../intake.js';
import type { RuleCounts } from '../namespace-rules.js';
import type { AttachedRequest, AttachedValue } from '../thread/protocol.js';
import type { AttachedReport } from '../wire-host.js';

/** A namespace that the wire is put through, by a path that the process finds it at: `/proc/1/ns/net`. */
export interface RemotePlace {
  readonly text: string;
  readonly path: string;
  readonly intake: Intake;
}

export interface RemoteOpen {
  readonly places: readonly RemotePlace[];
  readonly peer?: Side;
  readonly faults: readonly Fault[];
  readonly looks: boolean;
  readonly hasTracepoints: boolean;
  /** On the process's clock. */
  readonly epochNs: bigint;
}

export interface Hello {
  readonly version: string;
  /** Of the kernel that it runs on: where it is ours, so is the clock. */
  readonly bootId: string;
}

export type RemoteRequest =
  | { readonly kind: 'hello' }
  /** CLOCK_MONOTONIC, now. */
  | { readonly kind: 'clock' }
  | ({ readonly kind: 'open' } & RemoteOpen)
  /** Answered by the number of rules. */
  | { readonly kind: 'hook' }
  | { readonly kind: 'unhook' }
  | Exclude<AttachedRequest, { readonly kind: 'queues' | 'probe' }>;

export type RemoteValue = Hello | bigint | RuleCounts | AttachedValue;

export type RemoteCommand =
  | { readonly call: number; readonly request: RemoteRequest }
  /** A packet of the scripted peer. Not answered. */
  | { readonly peerPacket: Uint8Array };

export type RemoteMessage =
  | { readonly kind: 'answer'; readonly call: number; readonly value: RemoteValue }
  /** `isOurs`: the sentence is one for people. */
  | { readonly kind: 'refused'; readonly call: number; readonly message: string; readonly isOurs: boolean }
  | { readonly kind: 'reports'; readonly reports: readonly AttachedReport[] };
