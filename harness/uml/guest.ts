/**
 * A guest: a real Linux kernel as a process of this machine (User-Mode Linux) whose clock and network cards are ours. Two cards are
 * its end of a wire; over the third its only program, the agent, is spoken with. It runs as an ordinary user, and ends with this process.
 */
import type { Timeline } from '../clock/index.js';
import { libc, SOCK_DGRAM, SOCK_STREAM, socketPair } from '../sys/index.js';
import { messageOf } from '../text/index.js';
import { GUEST_MTU, GuestCard, USUAL_MTU, widen } from './guest-card.js';
import { GuestClock, type GuestRun } from './guest-clock.js';
import { GuestDied, IS_GONE } from './guest-died.js';
import { GuestProcess } from './guest-process.js';
import { KernelLog } from './kernel-log.js';

/** A guest's cards: two on the wire, for packets of a usual size and for larger ones, and the agent's. */
export type Card = 'wire' | 'wide' | 'control';

export interface GuestOptions {
  /** For messages: `linux@6.12 client`. */
  readonly name: string;
  /** The kernel's executable. */
  readonly kernelFile: string;
  readonly initramfsFile: string;
  readonly timeline: Timeline;
  readonly memoryMiB?: number;
  /** A guest that says nothing for so long of real time hangs (default: 20 s). What it does between two messages takes microseconds. */
  readonly hangsMs?: number;
}

/** What a guest's memory may grow to; it takes what it uses (about 30 MB). TCP's limits follow it: these are a usual machine's. */
const MEMORY_MIB = 1024;
/** Buckets of the table of connections: each look at the sockets (sock_diag) walks them all. */
const CONNECTION_BUCKETS = 8192;
const MTUS: Readonly<Record<Card, number>> = { wire: USUAL_MTU, wide: GUEST_MTU, control: GUEST_MTU };
/** In the order of their names in the guest, `vec0` and on, and of their descriptors in its process. */
const CARDS: readonly Card[] = ['wire', 'control', 'wide'];
const FIRST_CARD_FD = 3;
/** Of its controller's socket. */
const CLOCK_FD = FIRST_CARD_FD + CARDS.length;
const HANGS_MS = 20_000;
/** So many times that it waits: it says little, its console holds much, and who asks for its log hears all of it. */
const LISTENS_EVERY = 64;
/** What every guest believes the time to be when it starts: 2026-01-01, in nanoseconds since 1970. */
export const GUEST_EPOCH_UNIX_NS = 1_767_225_600_000_000_000n;

export class Guest implements Disposable {
  readonly name: string;
  readonly clock: GuestClock;
  readonly #process: GuestProcess;
  readonly #cards: Readonly<Record<Card, GuestCard>>;
  readonly #log: KernelLog;
  readonly #timeline: Timeline;
  #receive: (card: Card, frame: Uint8Array) => void = () => {};
  #gone: (error: Error) => void = () => {};
  #rested: (run: GuestRun) => void = () => {};
  /** Nobody listens to the card for large packets before a lab has it: nothing needs to be asked of it. */
  #usesWide = false;
  #sinceListened = 0;
  #isOver = false;

  /** Starts the kernel's process; `bootGuests` brings it up. */
  constructor(options: GuestOptions) {
    const { name, kernelFile, initramfsFile, timeline, memoryMiB = MEMORY_MIB, hangsMs = HANGS_MS } = options;
    this.name = name;
    this.#timeline = timeline;
    const ours: number[] = [];
    const theirs: number[] = [];
    const ownEnd = (type: number): number => {
      const pair = socketPair(type);
      ours.push(pair[0]);
      theirs.push(pair[1]);
      if (type === SOCK_DGRAM) for (const fd of pair) widen(fd);
      return pair[0];
    };
    let started: GuestProcess | undefined;
    try {
      this.#log = new KernelLog(ownEnd(SOCK_STREAM));
      const card = (name: Card) => new GuestCard(ownEnd(SOCK_DGRAM), (frame) => this.#receive(name, frame));
      // In the order of CARDS.
      this.#cards = { wire: card('wire'), control: card('control'), wide: card('wide') };
      const clockFd = ownEnd(SOCK_STREAM);
      const [consoleFd = -1, ...otherFds] = theirs;
      started = new GuestProcess({
        file: kernelFile,
        args: commandLine({ initramfsFile, memoryMiB }),
        descriptors: [consoleFd, consoleFd, ...otherFds],
      });
      this.#process = started;
      this.clock = new GuestClock({
        name,
        fd: clockFd,
        hangsMs,
        reached: (atNs) => timeline.reached(atNs),
        takeFrames: (haveLeft) => this.#takeFrames(haveLeft),
        giveFrames: () => this.#giveFrames(),
        isSilent: () => this.listen(),
        rested: (run) => this.#rested(run),
      });
    } catch (error) {
      started?.kill();
      for (const each of ours) libc.close(each);
      throw error instanceof GuestDied ? error : new GuestDied(name, messageOf(error));
    } finally {
      for (const each of theirs) libc.close(each);
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** False once its process has ended. */
  get isAlive(): boolean {
    return !this.#isOver && this.#process.isRunning;
  }

  /** Resolves when nothing is left of its process. */
  get ended(): Promise<void> {
    return this.#process.ended;
  }

  /** Takes what its kernel has said. */
  listen(): void {
    this.#log.take();
  }

  /** What its kernel has said so far, the last of it. */
  get log(): string {
    return this.#log.text();
  }

  /** From now on the card for large packets is listened to as well. */
  useWide(): void {
    this.#usesWide = true;
  }

  /** Called for each frame that leaves it, at the time when it leaves. */
  onFrame(receive: (card: Card, frame: Uint8Array) => void): void {
    this.#receive = receive;
  }

  /**
   * Called when it rests after it has run: while it is stepwise, at each moment at which it does something.
   */
  onRest(rested: (run: GuestRun) => void): void {
    this.#rested = rested;
  }

  set isStepwise(isStepwise: boolean) {
    this.clock.isStepwise = isStepwise;
  }

  /** Called once, when it has ended, with the reason. */
  onGone(gone: (error: Error) => void): void {
    this.#gone = gone;
  }

  /** Puts a frame before a card: the guest gets it at the time it is. */
  send(card: Card, frame: Uint8Array): void {
    if (this.#isOver) return;
    this.#cards[card].send(frame);
    this.clock.hasInput = true;
    this.#timeline.work();
  }

  /** The error with what is known of the guest's end, and its log. Ends its process. */
  explain(error: GuestDied): GuestDied {
    const how = this.#process.endedHow();
    const { log } = this;
    const panic = PANIC.exec(log)?.[1];
    const end = panic === undefined ? `its process ${how}` : `its kernel panicked: ${panic}`;
    return new GuestDied(this.name, error.reason === IS_GONE ? end : error.reason, log);
  }

  #takeFrames(haveLeft: boolean): void {
    this.#takeFramesOf('wire', haveLeft);
    this.#takeFramesOf('control', haveLeft);
    if (this.#usesWide) this.#takeFramesOf('wide', haveLeft);
    this.#sinceListened += 1;
    if (this.#sinceListened < LISTENS_EVERY) return;
    this.#sinceListened = 0;
    this.listen();
  }

  #giveFrames(): void {
    this.#cards.wire.give();
    this.#cards.control.give();
    this.#cards.wide.give();
  }

  #takeFramesOf(card: Card, haveLeft: boolean): void {
    if (this.#cards[card].take(haveLeft)) this.clock.hasInput = true;
  }

  /** Ends it; what is under way with it ends with this error. */
  end(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#process.kill();
    this.#gone(error);
    this.clock[Symbol.dispose]();
    for (const card of CARDS) this.#cards[card][Symbol.dispose]();
    this.#log[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.end(new GuestDied(this.name, 'it was ended'));
  }
}

const PANIC = /Kernel panic - not syncing: (.*)/;

const commandLine = (options: { initramfsFile: string; memoryMiB: number }): string[] => [
  `mem=${options.memoryMiB}M`,
  `thash_entries=${CONNECTION_BUCKETS}`,
  `initrd=${options.initramfsFile}`,
  ...CARDS.map(
    (card, i) =>
      `vec${i}:transport=fd,fd=${FIRST_CARD_FD + i},mac=02:00:00:00:00:0${i + 1},gro=0,depth=128,mtu=${MTUS[card]}`,
  ),
  'con=null',
  'con0=null,fd:1',
  'ssl=null',
  'quiet',
  `time-travel-start=${GUEST_EPOCH_UNIX_NS}`,
  'time-travel-terse',
  `time-travel=ext:fd:${CLOCK_FD}`,
  'LASTACK_CONTROL=vec1',
];
