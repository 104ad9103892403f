/** Network namespaces with links between them, for tests that need a kernel at the other end. They go with the process. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { check, libc } from './libc.js';
import { MappedMemory } from './mapped-memory.js';

const CLONE_NEWNET = 0x40000000;
const library = koffi.load('libc.so.6');
const unshare = library.func('int unshare(int)');
const setns = library.func('int setns(int, int)');

export class Namespace implements Disposable {
  readonly #fd: number;

  constructor() {
    const home = openOwn();
    try {
      check(unshare(CLONE_NEWNET), 'unshare(CLONE_NEWNET)');
      this.#fd = openOwn();
      check(setns(home, CLONE_NEWNET), 'setns');
    } finally {
      closeSync(home);
    }
    this.ip('link set lo up');
  }

  /** Runs a synchronous step inside. Sockets keep the namespace that they were made in, and children that in which they were started. */
  run<T>(step: () => T): T {
    const home = openOwn();
    try {
      check(setns(this.#fd, CLONE_NEWNET), 'setns');
      try {
        return step();
      } finally {
        check(setns(home, CLONE_NEWNET), 'setns');
      }
    } finally {
      closeSync(home);
    }
  }

  /** ip(8), one command. */
  ip(command: string): string {
    return this.run(() => execFileSync('ip', command.split(' '), { encoding: 'utf8' }));
  }

  /** A veth pair whose ends are in this namespace and in another one; both are up. */
  link(name: string, far: Namespace, farName: string): void {
    const descriptor = `/proc/${process.pid}/fd/${far.#fd}`;
    this.ip(`link add name ${name} type veth peer name ${farName} netns ${descriptor}`);
    this.ip(`link set dev ${name} up`);
    far.ip(`link set dev ${farName} up`);
  }

  /** Checksums and segments are made by the kernel then, and not left to the link. */
  switchOffloadsOff(name: string): void {
    this.run(() => switchOffloadsOff(name));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

const openOwn = (): number => openSync('/proc/thread-self/ns/net', 'r');

const SIOCETHTOOL = 0x8946;
/** ETHTOOL_S…: receive and transmit checksums, scatter-gather, TSO, GSO, GRO (uapi/linux/ethtool.h). */
const SWITCHES = [0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c] as const;

function switchOffloadsOff(name: string): void {
  // struct ifreq points at struct ethtool_value: both need an address that stays.
  using memory = MappedMemory.anonymous(4096);
  const fd = check(libc.socket(2, 2, 0), 'socket(AF_INET)');
  const view = new DataView(memory.buffer);
  const request = new Uint8Array(memory.buffer, 0, 40);
  request.set(Buffer.from(name));
  view.setBigUint64(16, memory.address + 64n, true);
  for (const command of SWITCHES) {
    view.setUint32(64, command, true);
    view.setUint32(68, 0, true);
    check(libc.ioctl(fd, SIOCETHTOOL, request), `ioctl(SIOCETHTOOL) of ${name}`);
  }
  libc.close(fd);
}

/** Why there can be no namespaces here; undefined where there can. */
export function namespacesMissing(): string | undefined {
  try {
    new Namespace()[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return `no network namespace can be made here: ${error instanceof Error ? error.message : String(error)}`;
  }
}
