/** Where the wire through hooks runs: on a thread of this process, or in a process of its own. Either is used through this. */
import type { Report } from '../netns/thread/protocol.js';
import type { RuleCounts } from './namespace-rules.js';
import type { AttachedRequest, AttachedValue } from './thread/protocol.js';

/** What it tells unasked. Records of segments may come packed. */
export type AttachedReport = Exclude<Report, { readonly kind: 'answer' | 'refused' }>;

/** In the order in which things happened. */
export type OnReports = (reports: readonly AttachedReport[]) => void;

export interface WireHost {
  /** Answered by the kind of value that the request names. */
  request(request: AttachedRequest): Promise<AttachedValue>;
  /** A packet of the scripted peer. */
  peerPacket(packet: Uint8Array): void;
  /** From now on segments come by the wire. Rejects with `AttachRefused`. */
  hook(): Promise<void>;
  readonly rules: RuleCounts;
  /** How far the host's clock may be from ours: 0 on the same machine. */
  readonly clockErrorNs: number;
  /** Takes the rules out, and ends it. What it holds or delays is lost. */
  close(): Promise<void>;
}
