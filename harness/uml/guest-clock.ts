/**
 * The clock of one guest: answers its time-travel messages, and lets it run. Blocking system calls on the caller's thread; no
 * promise and no allocation per message.
 *
 * A guest may run alone up to a time that we grant it. Before a frame leaves it says the time (UPDATE): from then on it may go no
 * further by itself, for whoever the frame reaches may answer at that time. Its frames carry no time: those that are there when it
 * says a later one left at the time before.
 */
import koffi from 'koffi';
import type { Nanos, Participant } from '../clock/index.js';
import { check, errnoName, libc, MSG_NOSIGNAL, SOL_SOCKET, sendWithDescriptors } from '../sys/index.js';
import { GuestDied, IS_GONE } from './guest-died.js';
import {
  MESSAGE_OCTETS,
  operationAt,
  operationName,
  putMessage,
  sequenceAt,
  TT,
  timeAt,
} from './time-travel.js';

/** Messages read in one call at most; a guest has few under way. */
const MOST_MESSAGES = 64;
const NEVER = Number.POSITIVE_INFINITY;
/** A guest asks for this when nothing will ever happen: S64_MAX, rounded by JavaScript's numbers. */
const FOR_EVER_NS = 2 ** 62;
/** Messages before it waits again: more than any burst of frames has. */
const MOST_MESSAGES_A_RUN = 1_000_000;
/** A thread that is to end does so between two of these. */
const LOOKS_EVERY_MS = 200;
const SO_RCVTIMEO = 20;
/** What recv(2) says when nothing has come so far. */
const SILENT: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR']);
/** One page that says nothing: a guest of Linux 6.12 and later finds no shared-memory scheduler in it. */
const PAGE_OCTETS = 4096;

export interface GuestClockOptions {
  readonly name: string;
  /** The controller's end of the connection. */
  readonly fd: number;
  /** The guest is at `atNs` of the timeline and about to affect others: `Timeline.reached`. */
  readonly reached: (atNs: Nanos) => void;
  /** Takes the frames that have left so far: they left at the time that was reached last. Without `haveLeft` there are none. */
  readonly takeFrames: (haveLeft: boolean) => void;
  /** Puts frames before it, at the time at which it runs next. */
  readonly giveFrames: () => void;
  /** How long of real time it may say nothing while it runs. */
  readonly hangsMs: number;
  /** Called now and then while it says nothing: it may wait for its console to be read. */
  readonly isSilent: () => void;
  /** Called when it waits after a run. */
  readonly rested: (run: GuestRun) => void;
}

/** A run that is over. */
export interface GuestRun {
  readonly fromNs: Nanos;
  /** What it had asked for before: a run that begins earlier was for its input. */
  readonly dueNs: Nanos;
}

export class GuestClock implements Participant {
  readonly name: string;
  nextNs: Nanos = NEVER;
  hasInput = false;
  /** It goes no further in one run than where that begins: somebody wants to hear of each moment at which it does something. */
  isStepwise = false;
  /** Messages handled so far. */
  messages = 0;
  /** Readable when the guest has said something. */
  readonly fd: number;
  readonly #reached: (atNs: Nanos) => void;
  readonly #takeFrames: (haveLeft: boolean) => void;
  readonly #giveFrames: () => void;
  readonly #hangsMs: number;
  readonly #isSilent: () => void;
  readonly #rested: (run: GuestRun) => void;
  /** The timeline's time at which the guest's own clock was 0. */
  #offsetNs: Nanos = 0;
  #atNs: Nanos = 0;
  #grantedNs: Nanos = 0;
  #isWaiting = false;
  #isCut = false;
  /** It says with WAIT what it requests, and wants no ACK for that. An unpatched kernel says REQUEST. */
  #isTerse = true;
  /** Before it is part of the timeline it is alone and affects nobody. */
  #isJoined = false;
  #sequence = 0;
  readonly #received = new Uint8Array(MOST_MESSAGES * MESSAGE_OCTETS);
  readonly #receivedView = new DataView(this.#received.buffer);
  #receivedOctets = 0;
  readonly #reply = new Uint8Array(2 * MESSAGE_OCTETS);
  readonly #one = this.#reply.subarray(0, MESSAGE_OCTETS);
  readonly #replyView = new DataView(this.#reply.buffer);

  constructor(options: GuestClockOptions) {
    const { name, fd, reached, takeFrames, giveFrames, hangsMs, isSilent, rested } = options;
    this.name = name;
    this.fd = fd;
    this.#reached = reached;
    this.#takeFrames = takeFrames;
    this.#giveFrames = giveFrames;
    this.#hangsMs = hangsMs;
    this.#isSilent = isSilent;
    this.#rested = rested;
    const micros = BigInt(Math.min(LOOKS_EVERY_MS, hangsMs) * 1000);
    const timeval = new Uint8Array(new BigInt64Array([0n, micros]).buffer);
    check(libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length), 'setsockopt');
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Says that the guest's clock was 0 at `offsetNs` of the timeline. Only while it waits for the first time. */
  join(offsetNs: Nanos): void {
    this.nextNs += offsetNs - this.#offsetNs;
    this.#atNs += offsetNs - this.#offsetNs;
    this.#offsetNs = offsetNs;
    this.#isJoined = true;
  }

  run(nowNs: Nanos, aloneUntilNs: Nanos): Nanos {
    const dueNs = this.nextNs;
    this.grant(nowNs, this.isStepwise ? nowNs : aloneUntilNs);
    const most = this.messages + MOST_MESSAGES_A_RUN;
    while (!this.#isWaiting) {
      this.#handleSome();
      if (this.messages > most)
        throw new GuestDied(this.name, `it is ${this.#atNs} ns there, and never rests`);
    }
    this.#rested({ fromNs: nowNs, dueNs });
    return this.#isCut ? this.#atNs : this.#grantedNs;
  }

  /** Sets it going; `handle` then serves it until it waits. */
  grant(nowNs: Nanos, aloneUntilNs: Nanos): void {
    this.#giveFrames();
    this.hasInput = false;
    this.#isWaiting = false;
    this.#isCut = false;
    this.#atNs = Math.max(this.#atNs, nowNs);
    this.#grantedNs = Math.max(aloneUntilNs, this.#atNs);
    this.nextNs = NEVER;
    this.#sequence += 2;
    putMessage(this.#replyView, 0, TT.FREE_UNTIL, this.#sequence - 1, this.#grantedNs - this.#offsetNs);
    putMessage(this.#replyView, MESSAGE_OCTETS, TT.RUN, this.#sequence, this.#atNs - this.#offsetNs);
    this.#send(this.#reply);
  }

  /** Serves what it has said; where that is nothing, waits for it. */
  handle(): void {
    this.#handleSome();
  }

  #handleSome(): void {
    const octets = this.#receive();
    let at = 0;
    for (; at + MESSAGE_OCTETS <= octets; at += MESSAGE_OCTETS) this.#handleAt(at);
    this.#received.copyWithin(0, at, octets);
    this.#receivedOctets = octets - at;
  }

  #receive(): number {
    let deadlineMs: number | undefined;
    for (;;) {
      const room = this.#received.subarray(this.#receivedOctets);
      const octets = libc.recv(this.fd, room, room.length, 0);
      if (octets > 0) return this.#receivedOctets + octets;
      if (octets === 0 || !SILENT.has(errnoName(koffi.errno()))) throw new GuestDied(this.name, IS_GONE);
      const nowMs = performance.now();
      deadlineMs ??= nowMs + this.#hangsMs - LOOKS_EVERY_MS;
      if (nowMs >= deadlineMs)
        throw new GuestDied(this.name, `it hangs: it has said nothing for ${this.#hangsMs} ms`);
      this.#isSilent();
    }
  }

  #handleAt(at: number): void {
    this.messages += 1;
    const view = this.#receivedView;
    const operation = operationAt(view, at);
    const sequence = sequenceAt(view, at);
    switch (operation) {
      case TT.ACK:
        return;
      case TT.REQUEST:
        this.#isTerse = false;
        this.#requested(timeAt(view, at));
        this.#acknowledge(sequence, 0);
        return;
      case TT.WAIT:
        if (this.#isTerse) this.#requested(timeAt(view, at));
        else this.#acknowledge(sequence, 0);
        // None leaves that was not announced.
        this.#takeFrames(this.#isCut || !this.#isJoined);
        this.#isWaiting = true;
        return;
      case TT.UPDATE:
        this.#updated(timeAt(view, at) + this.#offsetNs, sequence);
        return;
      case TT.GET:
      case TT.GET_TOD:
        this.#acknowledge(sequence, this.#atNs - this.#offsetNs);
        return;
      case TT.START:
        this.#start(sequence);
        return;
      default:
        throw new GuestDied(this.name, `it said ${operationName(operation)}, which only we may say`);
    }
  }

  #requested(ns: Nanos): void {
    this.nextNs = ns >= FOR_EVER_NS ? NEVER : ns + this.#offsetNs;
    if (this.nextNs < this.#atNs)
      throw new GuestDied(this.name, `it asked for ${this.nextNs} ns when it was ${this.#atNs} ns`);
  }

  #updated(atNs: Nanos, sequence: number): void {
    if (this.#isCut) this.#takeFrames(true);
    if (this.#isJoined) this.#reached(atNs);
    this.#atNs = atNs;
    this.#isCut = true;
    if (!this.#isJoined || this.#grantedNs <= atNs) {
      this.#acknowledge(sequence, 0);
      return;
    }
    this.#grantedNs = atNs;
    this.#sequence += 1;
    putMessage(this.#replyView, 0, TT.FREE_UNTIL, this.#sequence, atNs - this.#offsetNs);
    putMessage(this.#replyView, MESSAGE_OCTETS, TT.ACK, sequence, 0);
    this.#send(this.#reply);
  }

  /** Linux 6.12 and later expect two file descriptors here, and close as many as they expect. */
  #start(sequence: number): void {
    const memory = check(libc.memfdCreate('lastack', 1), 'memfd_create');
    check(libc.write(memory, new Uint8Array(PAGE_OCTETS), PAGE_OCTETS), 'write');
    putMessage(this.#replyView, 0, TT.ACK, sequence, 0);
    try {
      sendWithDescriptors(this.fd, this.#one, [memory, memory]);
    } finally {
      libc.close(memory);
    }
  }

  #acknowledge(sequence: number, ns: Nanos): void {
    putMessage(this.#replyView, 0, TT.ACK, sequence, ns);
    this.#send(this.#one);
  }

  #send(octets: Uint8Array): void {
    if (libc.send(this.fd, octets, octets.length, MSG_NOSIGNAL) !== octets.length)
      throw new GuestDied(this.name, IS_GONE);
  }

  [Symbol.dispose](): void {
    libc.close(this.fd);
  }
}
