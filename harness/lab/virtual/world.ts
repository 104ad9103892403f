/**
 * The virtual world of one thread: a timeline, the guests on it, and the labs that are open. Time goes on while a lab is open, and only
 * when every story has done what it does at this time: stories get their turn after each step.
 *
 * So a story in a virtual lab must await nothing but its lab. What it awaits elsewhere (a file, a real timer) comes much later in virtual time.
 */
import { Timeline } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import {
  bootGuests,
  findKernel,
  Guest,
  GuestDied,
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

interface Inhabitant {
  readonly guest: Guest;
  readonly host: Promise<GuestHost>;
}

export class World implements Disposable {
  static #shared: World | undefined;
  readonly timeline = new Timeline();
  readonly #guests = new Map<string, Inhabitant>();
  #working = 0;
  #isScheduled = false;

  /** This thread's. */
  static shared(): World {
    World.#shared ??= new World();
    return World.#shared;
  }

  constructor() {
    this.timeline.onWork(() => this.#schedule());
  }

  /** Lets time go on until what `work` awaits has come about. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const end = this.begin();
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** Lets time go on until the returned function is called. */
  begin(): () => void {
    this.#working += 1;
    this.#schedule();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#working -= 1;
    };
  }

  sleepUntil(atNs: number): Promise<void> {
    return new Promise((resolve) => this.timeline.at(atNs, resolve));
  }

  /** The guests that were asked for; those that are not there, or have died, are booted, side by side. Rejects with one sentence. */
  async hosts(wanted: readonly HostRequest[]): Promise<readonly GuestHost[]> {
    // One may have been killed while no time passed here.
    for (const [key, { guest }] of [...this.#guests]) if (!guest.isAlive) this.#forget(key, guest);
    const missing = wanted.filter((each) => !this.#guests.has(keyOf(each)));
    if (missing.length > 0) {
      const initramfs = await initramfsFile();
      // Somebody else may have booted them meanwhile.
      this.#boot(
        wanted.filter((each) => !this.#guests.has(keyOf(each))),
        initramfs,
      );
    }
    const found = wanted.map((each) => this.#guests.get(keyOf(each))?.host);
    return Promise.all(found.filter((host) => host !== undefined));
  }

  #boot(wanted: readonly HostRequest[], initramfs: string): void {
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
          }),
        );
      }
      bootGuests(guests, this.timeline);
    } catch (error) {
      for (const guest of guests) guest[Symbol.dispose]();
      throw error;
    }
    const joinNs = nextPhase(this.timeline.now());
    guests.forEach((guest, i) => {
      const request = wanted[i];
      if (request === undefined) return;
      const key = keyOf(request);
      const host = this.#open(guest, joinNs);
      host.catch(() => this.#forget(key, guest));
      this.#guests.set(key, { guest, host });
    });
  }

  async #open(guest: Guest, joinNs: number): Promise<GuestHost> {
    await this.sleepUntil(joinNs);
    return GuestHost.open(guest, joinNs - PHASE_NS);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#working === 0) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    if (this.#working === 0) return;
    let hasMore = false;
    try {
      hasMore = this.timeline.step();
    } catch (error) {
      if (!(error instanceof GuestDied)) throw error;
      this.#bury(error);
      hasMore = true;
    }
    if (hasMore) this.#schedule();
  }

  #bury(error: GuestDied): void {
    for (const [key, { guest, host }] of this.#guests) {
      if (guest.name !== error.guest) continue;
      const explained = guest.explain(error);
      this.#forget(key, guest);
      host.then((each) => each.fail(explained)).catch(() => {});
    }
  }

  #forget(key: string, guest: Guest): void {
    this.#guests.delete(key);
    this.timeline.remove(guest.clock);
    guest[Symbol.dispose]();
  }

  /** The processes of the guests that run. */
  pids(): readonly number[] {
    return [...this.#guests.values()].flatMap(({ guest }) => guest.pid ?? []);
  }

  /** Ends all guests. */
  [Symbol.dispose](): void {
    for (const [key, { guest }] of [...this.#guests]) this.#forget(key, guest);
    if (World.#shared === this) World.#shared = undefined;
  }
}

const keyOf = ({ version, side }: HostRequest): string => `${version} ${side}`;
