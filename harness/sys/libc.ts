/**
 * The C library's calls that the harness needs, bound once. Thin: names and arguments are the manual pages',
 * results are raw (see `check`). Nothing here blocks unless its name says so.
 */
import koffi from 'koffi';

const library = koffi.load('libc.so.6');

const bind = <F extends (...args: never[]) => number>(prototype: string): F =>
  library.func(prototype) as unknown as F;

type Bytes = Uint8Array | null;

const close = library.func('int close(int)');

export const libc = {
  close: close as unknown as (fd: number) => number,
  /** close(2) on another thread: with a linger time it blocks, whatever O_NONBLOCK says (net/ipv4/af_inet.c inet_release). */
  closeOnThread: (fd: number): Promise<void> => new Promise((resolve) => close.async(fd, () => resolve())),
  read: bind<(fd: number, buffer: Uint8Array, size: number) => number>('long read(int, void*, size_t)'),
  write: bind<(fd: number, buffer: Uint8Array, size: number) => number>(
    'long write(int, const void*, size_t)',
  ),
  socket: bind<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)'),
  /** `pair` receives two ints. */
  socketpair: bind<(domain: number, type: number, protocol: number, pair: Uint8Array) => number>(
    'int socketpair(int, int, int, void*)',
  ),
  memfdCreate: bind<(name: string, flags: number) => number>('int memfd_create(const char*, uint)'),
  bind: bind<(fd: number, address: Uint8Array, size: number) => number>('int bind(int, const void*, uint)'),
  listen: bind<(fd: number, backlog: number) => number>('int listen(int, int)'),
  accept4: bind<(fd: number, address: Bytes, size: Bytes, flags: number) => number>(
    'int accept4(int, void*, void*, int)',
  ),
  connect: bind<(fd: number, address: Uint8Array, size: number) => number>(
    'int connect(int, const void*, uint)',
  ),
  getsockname: bind<(fd: number, address: Uint8Array, size: Uint8Array) => number>(
    'int getsockname(int, void*, void*)',
  ),
  getpeername: bind<(fd: number, address: Uint8Array, size: Uint8Array) => number>(
    'int getpeername(int, void*, void*)',
  ),
  send: bind<(fd: number, data: Uint8Array, size: number, flags: number) => number>(
    'long send(int, const void*, size_t, int)',
  ),
  sendto: bind<
    (
      fd: number,
      data: Uint8Array,
      size: number,
      flags: number,
      address: Uint8Array,
      addressSize: number,
    ) => number
  >('long sendto(int, const void*, size_t, int, const void*, uint)'),
  recv: bind<(fd: number, data: Uint8Array, size: number, flags: number) => number>(
    'long recv(int, void*, size_t, int)',
  ),
  recvmsg: bind<(fd: number, header: Uint8Array, flags: number) => number>('long recvmsg(int, void*, int)'),
  sendmsg: bind<(fd: number, header: Uint8Array, flags: number) => number>(
    'long sendmsg(int, const void*, int)',
  ),
  shutdown: bind<(fd: number, how: number) => number>('int shutdown(int, int)'),
  setsockopt: bind<(fd: number, level: number, name: number, value: Uint8Array, size: number) => number>(
    'int setsockopt(int, int, int, const void*, uint)',
  ),
  getsockopt: bind<(fd: number, level: number, name: number, value: Uint8Array, size: Uint8Array) => number>(
    'int getsockopt(int, int, int, void*, void*)',
  ),
  ioctl: bind<(fd: number, request: number, argument: Uint8Array) => number>('int ioctl(int, ulong, void*)'),
  poll: bind<(fds: Uint8Array, count: number, timeoutMs: number) => number>('int poll(void*, ulong, int)'),
  /** `info` receives a `siginfo_t`, 128 octets. */
  waitid: bind<(kind: number, id: number, info: Uint8Array, options: number) => number>(
    'int waitid(int, uint, void*, int)',
  ),
  unshare: bind<(flags: number) => number>('int unshare(int)'),
  setns: bind<(fd: number, type: number) => number>('int setns(int, int)'),
  eventfd: bind<(initial: number, flags: number) => number>('int eventfd(uint, int)'),
  timerfdCreate: bind<(clock: number, flags: number) => number>('int timerfd_create(int, int)'),
  timerfdSettime: bind<(fd: number, flags: number, value: Uint8Array, old: Bytes) => number>(
    'int timerfd_settime(int, int, const void*, void*)',
  ),
  epollCreate: bind<(flags: number) => number>('int epoll_create1(int)'),
  epollCtl: bind<(epoll: number, operation: number, fd: number, event: Bytes) => number>(
    'int epoll_ctl(int, int, int, void*)',
  ),
  /** Blocks the calling thread for up to `timeoutMs` (-1: for ever). */
  epollWaitBlocking: bind<(epoll: number, events: Uint8Array, most: number, timeoutMs: number) => number>(
    'int epoll_wait(int, void*, int, int)',
  ),
  clockGettime: bind<(clock: number, timespec: Uint8Array) => number>('int clock_gettime(int, void*)'),
  /** Blocks the calling thread; `timeout` is a `struct timespec`, null to wait for ever. */
  ppollBlocking: bind<(fds: Uint8Array, count: number, timeout: Bytes, signals: null) => number>(
    'int ppoll(void*, ulong, const void*, const void*)',
  ),
  sendmmsg: bind<(fd: number, headers: Uint8Array, count: number, flags: number) => number>(
    'int sendmmsg(int, void*, uint, int)',
  ),
  schedGetcpu: bind<() => number>('int sched_getcpu()'),
  /** Of a thread; 0: the calling one. `set` is a `cpu_set_t`. */
  schedGetaffinity: bind<(thread: number, size: number, set: Uint8Array) => number>(
    'int sched_getaffinity(int, size_t, void*)',
  ),
  schedSetaffinity: bind<(thread: number, size: number, set: Uint8Array) => number>(
    'int sched_setaffinity(int, size_t, const void*)',
  ),
  schedYield: bind<() => number>('int sched_yield()'),
  prctl: bind<(option: number, a: number, b: number, c: number, d: number) => number>(
    'int prctl(int, ulong, ulong, ulong, ulong)',
  ),
  ifNametoindex: bind<(name: string) => number>('uint if_nametoindex(const char*)'),
} as const;
