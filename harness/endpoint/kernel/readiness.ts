/**
 * Waiting for sockets without blocking: one epoll instance for all sockets of an endpoint, itself watched by Node's event loop.
 * A loop of its own rather than one uv_poll a socket, because uv_poll cannot ask for urgent data (EPOLLPRI). It
 * keeps the process running only while somebody waits.
 */
import koffi from 'koffi';
import type { Clock } from '../../clock/index.js';
import {
  check,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLHUP,
  libc,
  SOCK_CLOEXEC,
} from '../../sys/index.js';

/** Why a wait ended: an event, the deadline, or the socket was closed meanwhile. */
export type Wake = 'ready' | 'timeout' | 'closed';

interface Waiter {
  readonly events: number;
  readonly wake: (why: Wake) => void;
}

/** `struct epoll_event` is packed on x86-64 alone (include/uapi/linux/eventpoll.h). */
const EVENT_OCTETS = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_OCTETS - 8;
const EVENTS_AT_ONCE = 64;

export class Readiness implements Disposable {
  readonly #clock: Clock;
  readonly #epoll = check(libc.epollCreate(SOCK_CLOEXEC), 'epoll_create1');
  readonly #waiters = new Map<number, Set<Waiter>>();
  readonly #events = new Uint8Array(EVENT_OCTETS * EVENTS_AT_ONCE);
  readonly #handle: ReturnType<typeof koffi.node.poll>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#handle = koffi.node.poll(this.#epoll, { readable: true }, () => this.#dispatch());
    this.#handle.unref();
  }

  /** Waits for one of the epoll `events` of a socket, or for the end of its connection. Never rejects. */
  wait(fd: number, events: number, untilNs: number): Promise<Wake> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        events,
        wake: (why) => {
          timer.cancel();
          this.#remove(fd, waiter);
          resolve(why);
        },
      };
      const timer = this.#clock.at(untilNs, () => waiter.wake('timeout'));
      this.#add(fd, waiter);
    });
  }

  /** To be called before a socket is closed: wakes all that wait for it. */
  forget(fd: number): void {
    for (const waiter of [...(this.#waiters.get(fd) ?? [])]) waiter.wake('closed');
  }

  [Symbol.dispose](): void {
    for (const fd of [...this.#waiters.keys()]) this.forget(fd);
    this.#handle.close();
    libc.close(this.#epoll);
  }

  #add(fd: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(fd) ?? new Set();
    const operation = waiters.size === 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (this.#waiters.size === 0) this.#handle.ref();
    waiters.add(waiter);
    this.#waiters.set(fd, waiters);
    this.#control(operation, fd, waiters);
  }

  #remove(fd: number, waiter: Waiter): void {
    const waiters = this.#waiters.get(fd);
    if (waiters === undefined || !waiters.delete(waiter)) return;
    if (waiters.size > 0) {
      this.#control(EPOLL_CTL_MOD, fd, waiters);
      return;
    }
    this.#control(EPOLL_CTL_DEL, fd, waiters);
    this.#waiters.delete(fd);
    if (this.#waiters.size === 0) this.#handle.unref();
  }

  #control(operation: number, fd: number, waiters: ReadonlySet<Waiter>): void {
    const event = new Uint8Array(EVENT_OCTETS);
    const view = new DataView(event.buffer);
    view.setUint32(
      0,
      [...waiters].reduce((mask, waiter) => mask | waiter.events, 0),
      true,
    );
    view.setUint32(DATA_AT, fd, true);
    check(libc.epollCtl(this.#epoll, operation, fd, event), 'epoll_ctl');
  }

  #dispatch(): void {
    // Time-out 0: it never blocks here.
    const count = libc.epollWaitBlocking(this.#epoll, this.#events, EVENTS_AT_ONCE, 0);
    const view = new DataView(this.#events.buffer);
    const ready = Array.from({ length: Math.max(count, 0) }, (_, i) => ({
      events: view.getUint32(i * EVENT_OCTETS, true),
      fd: view.getUint32(i * EVENT_OCTETS + DATA_AT, true),
    }));
    for (const { events, fd } of ready) {
      for (const waiter of [...(this.#waiters.get(fd) ?? [])]) {
        if ((events & (waiter.events | EPOLLERR | EPOLLHUP)) !== 0) waiter.wake('ready');
      }
    }
  }
}
