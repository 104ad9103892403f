/** What is said to the thread of the project's own TCP: by the main thread, and by the wire's. Plain data, posted. */
import type { MessagePort } from 'node:worker_threads';
import type { Nanos } from '../../../clock/index.js';
import type { OwnAnswer, OwnCall } from '../../../endpoint/index.js';
import type { Side } from '../../../fault/index.js';
import type { NoteRecord, TransitionRecord } from '../../../observe/index.js';
import type { Settings } from '../../lab.js';

/** What the thread needs to begin; see `OwnThread`. */
export interface OwnThreadOptions {
  /** To the wire's thread (`StampedPacket`s) and from it (`OwnPacket`s). */
  readonly wire: MessagePort;
  /** Makes the wire's thread look at its messages, together with the counter. */
  readonly wakeFd: number;
  readonly posted: Int32Array;
}

/** A packet for a side that is on the thread of the project's own TCP. */
export interface OwnPacket {
  readonly lab: number;
  readonly side: Side;
  readonly packet: Uint8Array;
}

/** One from there, with the time at which it left its stack, on the lab's clock: threads may have to wait for a processor. */
export interface StampedPacket extends OwnPacket {
  readonly atNs: Nanos;
}

export interface OpenOwnSide {
  readonly ip: string;
  readonly mtu: number;
  readonly settings: Settings;
  /** The lab's time counts from here (CLOCK_MONOTONIC). */
  readonly epochNs: bigint;
}

export type OwnRequest =
  | { readonly kind: 'open'; readonly options: OpenOwnSide }
  | { readonly kind: 'socket-call'; readonly call: OwnCall }
  /** All that the stack has reported of its states. */
  | { readonly kind: 'seen' }
  | { readonly kind: 'close' };

export interface OwnCommand {
  readonly lab: number;
  readonly side: Side;
  readonly call: number;
  readonly request: OwnRequest;
}

export interface Reported {
  readonly transitions: readonly TransitionRecord[];
  readonly notes: readonly NoteRecord[];
}

export type OwnReport =
  | { readonly kind: 'answer'; readonly call: number; readonly answer: OwnAnswer }
  | { readonly kind: 'failed'; readonly lab: number; readonly message: string };
