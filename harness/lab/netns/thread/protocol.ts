/** What the main thread and the wire's thread say to each other. Plain data, posted. */
import type { MessagePort } from 'node:worker_threads';
import type { Nanos } from '../../../clock/index.js';
import type { Fault, Receipt, Side } from '../../../fault/index.js';
import type { NoteRecord, Sighting } from '../../../observe/index.js';
import type { SyncResult, WireReport, WireRequest } from '../../wire-request.js';
import type { PackedRecords } from './record-pack.js';

/** What the thread needs to begin; see `WireThread`. */
export interface ThreadOptions {
  /** The namespaces with the far ends of the links: for links of a usual MTU, and for those beyond. */
  readonly namespaceFds: readonly number[];
  readonly mac: Uint8Array;
  /** Readable when there are commands. */
  readonly wakeFd: number;
  /** Counts what was posted, so that the thread sees news without a system call; negative: end. */
  readonly posted: Int32Array;
  /** The thread's and the labs' times count from here (CLOCK_MONOTONIC). */
  readonly epochNs: bigint;
  /** Whether it may keep a core busy for a moment while it waits for the next packet. */
  readonly mayWatch: boolean;
}

/** A side of the wire: a link of the thread's namespace, a scripted peer on the main thread, or the project's own TCP on a third. */
export type SideOptions =
  | { readonly kind: 'link'; readonly ifindex: number; readonly mtu: number }
  | { readonly kind: 'peer' }
  | { readonly kind: 'own' };

export interface LookerOptions {
  readonly ipVersion: 4 | 6;
  /** The sides that have a stack. */
  readonly ends: readonly {
    readonly side: Side;
    readonly namespaceFd: number;
    readonly ip: string;
    /** Given where the namespace has sockets of others too: then only those between these two addresses are watched. */
    readonly remoteIp?: string;
  }[];
  readonly hasTracepoints: boolean;
}

export interface OpenWire {
  readonly epochNs: bigint;
  readonly sides: Readonly<Record<Side, SideOptions>>;
  readonly faults: readonly Fault[];
  readonly looker?: LookerOptions;
}

/** Each is answered with its result. */
export type Request =
  | { readonly kind: 'open'; readonly options: OpenWire }
  | { readonly kind: 'close' }
  | WireRequest;

export type Command =
  | { readonly lab: number; readonly call: number; readonly request: Request }
  /** A packet of the scripted peer. Not answered. */
  | { readonly lab: number; readonly peerPacket: Uint8Array }
  /** The way to the thread of the project's own TCP, for packets that come from it and go to it. Not answered. */
  | { readonly ownPort: MessagePort };

export type Report =
  /** Many `arrived`, of several labs, in their order. */
  | { readonly kind: 'packed'; readonly records: PackedRecords }
  | ({ readonly lab: number } & Exclude<WireReport, { kind: 'failed' }>)
  | { readonly kind: 'to-peer'; readonly lab: number; readonly packet: Uint8Array; readonly atNs: Nanos }
  | { readonly kind: 'seen'; readonly lab: number; readonly record: Sighting | NoteRecord }
  | { readonly kind: 'failed'; readonly lab: number | 'all'; readonly message: string }
  | ({ readonly call: number } & Answer);

export type Answer =
  | { readonly kind: 'answer'; readonly value: number | SyncResult | readonly Receipt[] | undefined }
  | { readonly kind: 'refused'; readonly message: string };
