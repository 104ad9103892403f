/**
 * The virtual world of one thread: a timeline, the guests on it, and the labs that are open. Time goes on while a lab is open, and only
 * when every story has done what it does at this time: stories get their turn after each step.
 *
 * So a story in a virtual lab must await nothing but its lab. What it awaits elsewhere (a file, a real timer) comes much later in virtual time.
 */
import { Timeline } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import { stayOnOneProcessor } from '../../sys/index.js';
import { messageOf } from '../../text/index.js';
import {
  bootGuests,
  explained,
  findKernel,
  Guest,
  GuestDied,
  IS_GONE,
  initramfsFile,
  nextPhase,
  PHASE_NS,
} from '../../uml/index.js';
import { GuestHost } from './guest-host.js';

export interface HostRequest {
  /** As `findKernel` takes it: `6.12`. */
  readonly version: string;
  readonly side: Side;
}

export interface WorldOptions {
  /** What guests may take of real time; absent: what they take by default. */
  readonly bootsWithinMs?: number;
  readonly hangsMs?: number;
  /** The root of the guests' files; absent: one with the agent. */
  readonly initramfsFile?: string;
  /** Threads with different numbers keep different processors busy; absent: the one that the thread is on. */
  readonly processor?: number;
}

/** Real time after which the event loop gets its turn, for what is not of the lab: signals, messages of other threads. */
const LOOP_EVERY_MS = 2;

/** Steps without any time passing, after which it never will: a burst of frames has some thousands. */
const MOST_STEPS_AT_ONE_TIME = 1_000_000;

interface Inhabitant {
  readonly guest: Guest;
  readonly host: Promise<GuestHost>;
}

export class World implements Disposable {
  static #shared: World | undefined;
  readonly timeline = new Timeline();
  readonly #options: WorldOptions;
  readonly #guests = new Map<string, Inhabitant>();
  /** Those whose processes have been told to end. */
  readonly #ending = new Set<Guest>();
  /** While what guests are made from is being made. */
  #preparing: Promise<string> | undefined;
  /** Those who are told when time cannot go on. */
  readonly #labs = new Set<(error: Error) => void>();
  #closings = 0;
  #working = 0;
  #turn: NodeJS.Immediate | undefined;
  /** The next turn comes when all that stories can do now is done. */
  #isNext = false;
  #loopedMs = 0;
  #leaveProcessor: () => void = () => {};
  #stepsAtThisTime = 0;

  /** This thread's. The options are those with which it is made, if it is. */
  static shared(options?: WorldOptions): World {
    World.#shared ??= new World(options);
    return World.#shared;
  }

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.timeline.onWork(() => this.#schedule());
  }

  /** Lets time go on until the returned function is called. `broke` is told when it cannot. */
  begin(broke: (error: Error) => void): () => void {
    // This thread and its guests run in turns.
    if (this.#working === 0) this.#leaveProcessor = stayOnOneProcessor(this.#options.processor);
    this.#working += 1;
    this.#labs.add(broke);
    this.#schedule();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#labs.delete(broke);
      this.#working -= 1;
      if (this.#working === 0) this.#leaveProcessor();
    };
  }

  sleepUntil(atNs: number): Promise<void> {
    return new Promise((resolve) => this.timeline.at(atNs, resolve));
  }

  /** The guests that were asked for; those that are not there, or have died, are booted, side by side. Rejects with one sentence. */
  async hosts(wanted: readonly HostRequest[]): Promise<readonly GuestHost[]> {
    // One may have been killed while no time passed here.
    for (const { guest } of [...this.#guests.values()])
      if (!guest.isAlive) this.#end(guest, guest.explain(new GuestDied(guest.name, IS_GONE)));
    const missing = wanted.filter((each) => !this.#guests.has(keyOf(each)));
    if (missing.length > 0) {
      const closings = this.#closings;
      const initramfs = await this.#initramfs();
      if (this.#closings > closings) throw closed();
      // Somebody else may have booted them meanwhile.
      this.#boot(
        wanted.filter((each) => !this.#guests.has(keyOf(each))),
        initramfs,
      );
    }
    const found = wanted.map((each) => this.#guests.get(keyOf(each))?.host);
    return Promise.all(found.filter((host) => host !== undefined));
  }

  async #initramfs(): Promise<string> {
    const file = this.#options.initramfsFile;
    if (file !== undefined) return file;
    this.#preparing ??= initramfsFile().finally(() => {
      this.#preparing = undefined;
    });
    return this.#preparing;
  }

  #boot(wanted: readonly HostRequest[], initramfs: string): void {
    const { hangsMs, bootsWithinMs } = this.#options;
    const guests: Guest[] = [];
    try {
      for (const { version, side } of wanted) {
        const kernel = findKernel(version);
        guests.push(
          new Guest({
            name: `linux@${kernel.version} ${side}`,
            kernelFile: kernel.file,
            initramfsFile: initramfs,
            timeline: this.timeline,
            ...(hangsMs === undefined ? {} : { hangsMs }),
          }),
        );
      }
      bootGuests(guests, this.timeline, bootsWithinMs);
    } catch (error) {
      for (const guest of guests) this.#end(guest, asError(error));
      throw error;
    }
    const joinNs = nextPhase(this.timeline.now());
    guests.forEach((guest, i) => {
      const request = wanted[i];
      if (request === undefined) return;
      const host = this.#open(guest, joinNs);
      host.catch((error: unknown) => this.#end(guest, asError(error)));
      this.#guests.set(keyOf(request), { guest, host });
    });
  }

  async #open(guest: Guest, joinNs: number): Promise<GuestHost> {
    await this.sleepUntil(joinNs);
    return GuestHost.open(guest, {
      guestEpochNs: joinNs - PHASE_NS,
      clock: this.timeline,
      // The guest may be in the middle of what it has to say.
      lost: (error) => queueMicrotask(() => this.#end(guest, guest.explain(error))),
    });
  }

  /** A lab that was forgotten, and in which nobody waits for anything, does not keep the process from ending. */
  #schedule(): void {
    if (this.#working === 0 || this.#isNext) return;
    const { isAwaited } = this.timeline;
    if (this.#turn === undefined && isAwaited && performance.now() < this.#loopedMs + LOOP_EVERY_MS) {
      this.#isNext = true;
      // Node calls what waits for the next tick when no promise is left to go on.
      queueMicrotask(() => process.nextTick(() => this.#takeTurn()));
      return;
    }
    this.#turn ??= setImmediate(() => {
      this.#loopedMs = performance.now();
      this.#takeTurn();
    });
    if (isAwaited) this.#turn.ref();
    else this.#turn.unref();
  }

  #takeTurn(): void {
    this.#turn = undefined;
    this.#isNext = false;
    if (this.#working === 0) return;
    const beforeNs = this.timeline.now();
    let hasMore = true;
    try {
      hasMore = this.timeline.step();
      this.#stepsAtThisTime = this.timeline.now() === beforeNs ? this.#stepsAtThisTime + 1 : 0;
      if (this.#stepsAtThisTime > MOST_STEPS_AT_ONE_TIME)
        throw new Error(`${MOST_STEPS_AT_ONE_TIME} events, and it is still ${beforeNs} ns`);
    } catch (error) {
      this.#stepsAtThisTime = 0;
      this.#broke(error);
    }
    if (hasMore) this.#schedule();
  }

  /** A guest has died, or we have made a mistake: whoever it concerns hears of it, and what follows begins with other guests. */
  #broke(error: unknown): void {
    const all = [...this.#guests.values()].map(({ guest }) => guest);
    if (error instanceof GuestDied) {
      const told = explained(all, error);
      for (const guest of all.filter(({ name }) => name === error.guest)) this.#end(guest, asError(told));
      return;
    }
    const told = new Error(`the virtual lab broke: ${messageOf(error)}`, { cause: error });
    for (const guest of all) this.#end(guest, told);
    // Not every lab has a guest.
    for (const broke of [...this.#labs]) broke(told);
  }

  /** Its labs fail with this error; the next lab gets another guest. */
  #end(guest: Guest, error: Error): void {
    for (const [key, each] of this.#guests) if (each.guest === guest) this.#guests.delete(key);
    this.timeline.remove(guest.clock);
    guest.end(error);
    this.#ending.add(guest);
    void guest.ended.then(() => this.#ending.delete(guest));
  }

  /** The processes of the guests that run. */
  pids(): readonly number[] {
    return [...this.#guests.values()].map(({ guest }) => guest.pid);
  }

  /** Ends all guests, and resolves when nothing is left of their processes. Something else must keep this thread alive meanwhile. */
  async close(): Promise<void> {
    this[Symbol.dispose]();
    await this.#preparing?.catch(() => {});
    await Promise.all([...this.#ending].map(({ ended }) => ended));
  }

  /** Ends all guests; labs that are open fail. */
  [Symbol.dispose](): void {
    this.#closings += 1;
    const error = closed();
    for (const { guest } of [...this.#guests.values()]) this.#end(guest, error);
    if (World.#shared === this) World.#shared = undefined;
  }
}

const keyOf = ({ version, side }: HostRequest): string => `${version} ${side}`;

const closed = (): Error => new Error('the virtual lab was closed');

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(messageOf(error)));
