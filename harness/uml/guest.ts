/**
 * A guest: a real Linux kernel as a process of this machine (User-Mode Linux) whose clock and two network cards are ours. One card is
 * its end of a wire; over the other its only program, the agent, is spoken with. It runs as an ordinary user, and ends with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Timeline } from '../clock/index.js';
import {
  AF_UNIX,
  check,
  checkAgain,
  libc,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  socketPair,
  uninterrupted,
} from '../sys/index.js';
import { GuestClock } from './guest-clock.js';
import { GuestDied } from './guest-died.js';
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
}

/** What a guest's memory may grow to; it takes what it uses (about 30 MB). TCP's limits follow it: these are a usual machine's. */
const MEMORY_MIB = 1024;
/** Buckets of the table of connections, which would otherwise be large in proportion. */
const CONNECTION_BUCKETS = 65_536;
/** What a card of the wire is made for. It receives into buffers of that size, and TCP reckons with the buffer: no larger than needed. */
export const USUAL_MTU = 1500;
/** The MTU of the other cards. */
export const GUEST_MTU = 16_000;
const FRAME_OCTETS = GUEST_MTU + 64;
const MTUS: Readonly<Record<Card, number>> = { wire: USUAL_MTU, wide: GUEST_MTU, control: GUEST_MTU };
/** In the order of their names in the guest, `vec0` and on, and of their descriptors in its process. */
const CARDS: readonly Card[] = ['wire', 'control', 'wide'];
const FIRST_CARD_FD = 3;
/** A guest that says nothing for so long of real time hangs: what it does between two messages takes microseconds. */
const HANGS_MS = 20_000;
const STARTS_WITHIN_MS = 10_000;
const BUFFER_OCTETS = 4 * 1024 * 1024;
/** More than this in one go: the card's queue may have been full, and the guest has more. */
const MAY_HAVE_MORE_OCTETS = 60_000;
/** What every guest believes the time to be when it starts: 2026-01-01, in nanoseconds since 1970. */
export const GUEST_EPOCH_UNIX_NS = 1_767_225_600_000_000_000n;
const POLLIN = 1;
const SO_SNDBUF = 7;
const SO_RCVTIMEO = 20;

interface CardEnd {
  readonly card: Card;
  readonly fd: number;
  /** Frames that found no room yet. */
  readonly waiting: Uint8Array[];
}

export class Guest implements Disposable {
  readonly name: string;
  readonly clock: GuestClock;
  readonly #process: ChildProcess;
  readonly #ends: Readonly<Record<Card, CardEnd>>;
  readonly #log: KernelLog;
  readonly #timeline: Timeline;
  readonly #frame = new Uint8Array(FRAME_OCTETS);
  readonly #killAtExit = () => this.#kill();
  #receive: (card: Card, frame: Uint8Array) => void = () => {};
  #gone: (reason: string) => void = () => {};
  /** Nobody listens to the card for large packets before a lab has it: nothing needs to be asked of it. */
  #usesWide = false;
  #isOver = false;

  /** Starts the kernel's process; `bootGuests` brings it up. Blocks until the kernel has answered, some milliseconds. */
  constructor({ name, kernelFile, initramfsFile, timeline, memoryMiB = MEMORY_MIB }: GuestOptions) {
    this.name = name;
    this.#timeline = timeline;
    const pairs = { wire: cardPair(), wide: cardPair(), control: cardPair() };
    const [logFd, consoleFd] = socketPair(SOCK_STREAM);
    this.#log = new KernelLog(logFd);
    this.#ends = {
      wire: cardEnd('wire', pairs.wire),
      wide: cardEnd('wide', pairs.wide),
      control: cardEnd('control', pairs.control),
    };
    const folder = mkdtempSync(join(tmpdir(), 'lastack-'));
    const cardFds = CARDS.map((card) => pairs[card][1]);
    const theirs = [...cardFds, consoleFd];
    try {
      const socket = join(folder, 'time');
      const listener = listenAt(socket);
      theirs.push(listener);
      this.#process = spawn(kernelFile, commandLine({ socket, initramfsFile, memoryMiB }), {
        stdio: ['ignore', consoleFd, consoleFd, ...cardFds],
        detached: true,
        env: { PATH: '/usr/bin:/bin', TMPDIR: tmpdir() },
      });
      this.#process.on('error', () => {});
      this.#process.unref();
      process.prependOnceListener('exit', this.#killAtExit);
      const fd = this.#accept(listener);
      this.clock = new GuestClock({
        name,
        fd,
        reached: (atNs) => timeline.reached(atNs),
        takeFrames: () => this.#takeFrames(),
      });
    } catch (error) {
      this.#kill();
      throw error;
    } finally {
      for (const each of theirs) libc.close(each);
      rmSync(folder, { recursive: true, force: true });
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** False once its process has ended, as far as the event loop has heard. */
  get isAlive(): boolean {
    return !this.#isOver && this.#process.exitCode === null && this.#process.signalCode === null;
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

  /** Called once, when it has ended, with one sentence that says why. */
  onGone(gone: (reason: string) => void): void {
    this.#gone = gone;
  }

  /** Puts a frame before a card: the guest gets it at the time it is. */
  send(card: Card, frame: Uint8Array): void {
    if (this.#isOver) return;
    this.#ends[card].waiting.push(frame);
    this.#flush(this.#ends[card]);
    this.clock.hasInput = true;
    this.#timeline.work();
  }

  /** The error with the guest's log beside it. */
  explain(error: GuestDied): GuestDied {
    return new GuestDied(this.name, error.reason, this.log);
  }

  #accept(listener: number): number {
    const bytes = new Uint8Array(Int32Array.of(listener, POLLIN).buffer);
    const ready = check(
      uninterrupted(() => libc.poll(bytes, 1, STARTS_WITHIN_MS)),
      'poll',
    );
    if (ready === 0 || this.#process.pid === undefined)
      throw new GuestDied(this.name, 'its kernel did not start', this.log);
    const fd = check(libc.accept4(listener, null, null, SOCK_CLOEXEC), 'accept4');
    const timeout = new Uint8Array(new BigInt64Array([BigInt(HANGS_MS / 1000), 0n]).buffer);
    check(libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length), 'setsockopt');
    return fd;
  }

  #takeFrames(): void {
    this.#takeFramesOf(this.#ends.wire);
    this.#takeFramesOf(this.#ends.control);
    if (this.#usesWide) this.#takeFramesOf(this.#ends.wide);
    this.#log.take();
  }

  #takeFramesOf(end: CardEnd): void {
    let taken = 0;
    for (;;) {
      const octets = checkAgain(libc.recv(end.fd, this.#frame, FRAME_OCTETS, MSG_DONTWAIT), 'recv');
      if (octets === undefined || octets === 0) break;
      taken += octets;
      this.#receive(end.card, this.#frame.slice(0, octets));
    }
    // What it could not send, and what we could not, is tried again at the same time.
    if (taken > MAY_HAVE_MORE_OCTETS) this.clock.hasInput = true;
    if (end.waiting.length > 0) {
      this.#flush(end);
      this.clock.hasInput = true;
    }
  }

  #flush({ fd, waiting }: CardEnd): void {
    let sent = 0;
    for (const frame of waiting) {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      if (checkAgain(libc.send(fd, frame, frame.length, flags), 'send') === undefined) break;
      sent += 1;
    }
    waiting.splice(0, sent);
  }

  #kill(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    process.removeListener('exit', this.#killAtExit);
    try {
      // Its helper processes are in its group: they would outlive it.
      if (this.#process?.pid !== undefined) process.kill(-this.#process.pid, 'SIGKILL');
    } catch {
      // It was gone before.
    }
  }

  [Symbol.dispose](): void {
    const wasOver = this.#isOver;
    this.#kill();
    if (wasOver) return;
    this.#gone(`the guest ${this.name} has ended`);
    this.clock[Symbol.dispose]();
    for (const { fd } of Object.values(this.#ends)) libc.close(fd);
    this.#log[Symbol.dispose]();
  }
}

function cardPair(): readonly [number, number] {
  const pair = socketPair(SOCK_DGRAM);
  const octets = new Uint8Array(Int32Array.of(BUFFER_OCTETS).buffer);
  for (const fd of pair) check(libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, octets, 4), 'setsockopt');
  return pair;
}

const cardEnd = (card: Card, [fd]: readonly [number, number]): CardEnd => ({ card, fd, waiting: [] });

function listenAt(path: string): number {
  const fd = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  const address = new Uint8Array([AF_UNIX, 0, ...new TextEncoder().encode(`${path}\0`)]);
  check(libc.bind(fd, address, address.length), 'bind');
  check(libc.listen(fd, 1), 'listen');
  return fd;
}

const commandLine = (options: { socket: string; initramfsFile: string; memoryMiB: number }): string[] => [
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
  // Nothing is kept beside the process: no pid file, no socket of a management console.
  'uml_dir=/proc/self/',
  'quiet',
  `time-travel-start=${GUEST_EPOCH_UNIX_NS}`,
  'time-travel-terse',
  `time-travel=ext:${options.socket}`,
  'LASTACK_CONTROL=vec1',
];
