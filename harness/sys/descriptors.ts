/** File descriptors that come in pairs, and those that are passed along with octets. */

import { AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOL_SOCKET } from './constants.js';
import { check } from './errno.js';
import { libc } from './libc.js';
import { MappedMemory } from './mapped-memory.js';

/** Two unix sockets that are connected to each other. A child process gets one only where it is passed on. */
export function socketPair(type: number): readonly [number, number] {
  const pair = new Int32Array(2);
  check(libc.socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, new Uint8Array(pair.buffer)), 'socketpair');
  return [pair[0] ?? -1, pair[1] ?? -1];
}

/** `struct msghdr`, `struct iovec`, and a `struct cmsghdr` with its data, at one place in memory. */
const MSGHDR_OCTETS = 56;
const IOVEC_OCTETS = 16;
const CMSGHDR_OCTETS = 16;
const CONTROL_AT = MSGHDR_OCTETS + IOVEC_OCTETS;

/** Sends octets over a unix socket with file descriptors beside them (SCM_RIGHTS, unix(7)). */
export function sendWithDescriptors(fd: number, octets: Uint8Array, descriptors: readonly number[]): void {
  const controlOctets = CMSGHDR_OCTETS + 4 * descriptors.length;
  const controlSpace = (controlOctets + 7) & ~7;
  const dataAt = CONTROL_AT + controlSpace;
  const memory = MappedMemory.anonymous(dataAt + octets.length);
  try {
    const view = new DataView(memory.buffer);
    view.setBigUint64(16, memory.address + BigInt(MSGHDR_OCTETS), true);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, memory.address + BigInt(CONTROL_AT), true);
    view.setBigUint64(40, BigInt(controlSpace), true);
    view.setBigUint64(MSGHDR_OCTETS, memory.address + BigInt(dataAt), true);
    view.setBigUint64(MSGHDR_OCTETS + 8, BigInt(octets.length), true);
    view.setBigUint64(CONTROL_AT, BigInt(controlOctets), true);
    view.setInt32(CONTROL_AT + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL_AT + 12, SCM_RIGHTS, true);
    descriptors.forEach((each, i) => {
      view.setInt32(CONTROL_AT + CMSGHDR_OCTETS + 4 * i, each, true);
    });
    const whole = new Uint8Array(memory.buffer);
    whole.set(octets, dataAt);
    check(libc.sendmsg(fd, whole.subarray(0, MSGHDR_OCTETS), 0), 'sendmsg');
  } finally {
    memory.unmap();
  }
}
