/** What the main thread and the thread of an attached wire say to each other. Plain data, posted. */
import type { Fault, Receipt } from '../../../fault/index.js';
import type { SyncResult, WireRequest } from '../../wire-request.js';

/** What the thread needs to begin. */
export interface AttachedThreadOptions {
  /** Of the namespace that it works in. */
  readonly namespaceFd: number;
  /** The service's port: whoever speaks from it is the server. */
  readonly port: number;
  readonly faults: readonly Fault[];
  /** Looks at sockets of the namespace; without, nobody does. */
  readonly looks: boolean;
  readonly hasTracepoints: boolean;
  /** The addresses of the namespace. */
  readonly localIps: readonly string[];
  /** Readable when there are commands. */
  readonly wakeFd: number;
  /** Counts what was posted; negative: end. */
  readonly posted: Int32Array;
  readonly epochNs: bigint;
  readonly mayWatch: boolean;
}

export type AttachedRequest =
  /** The number of the queue, for the rules. */
  | { readonly kind: 'queue' }
  /** Whether a segment that the namespace sends itself comes by the queue. */
  | { readonly kind: 'probe' }
  /** Segments that passed unseen. */
  | { readonly kind: 'missed' }
  | { readonly kind: 'look' }
  | WireRequest;

export type ProbeResult =
  | { readonly kind: 'seen' | 'unseen' }
  /** It could not be sent. */
  | { readonly kind: 'impossible'; readonly why: string };

export interface AttachedCommand {
  readonly call: number;
  readonly request: AttachedRequest;
}

export type AttachedValue = number | ProbeResult | SyncResult | readonly Receipt[] | undefined;
