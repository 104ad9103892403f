/**
 * Network namespaces held by a file descriptor: they live as long as somebody holds them, so they go with the
 * process, whatever ends it. `setns` works on the calling thread only and a socket keeps the namespace it was made in,
 * so a namespace is entered for one synchronous step and left again.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { CLONE_NEWNET } from './constants.js';
import { check } from './errno.js';
import { libc } from './libc.js';

export class NetworkNamespace implements Disposable {
  private constructor(readonly fd: number) {}

  /** A new, empty network namespace. Needs CAP_SYS_ADMIN in the process's user namespace. */
  static create(): NetworkNamespace {
    const home = NetworkNamespace.ofThisThread();
    try {
      check(libc.unshare(CLONE_NEWNET), 'unshare(CLONE_NEWNET)');
      try {
        return NetworkNamespace.ofThisThread();
      } finally {
        check(libc.setns(home.fd, CLONE_NEWNET), 'setns');
      }
    } finally {
      home[Symbol.dispose]();
    }
  }

  static ofThisThread(): NetworkNamespace {
    return new NetworkNamespace(openSync('/proc/thread-self/ns/net', 'r'));
  }

  /** That of another process, which may end meanwhile. Throws Node's own error where it cannot be opened. */
  static ofPid(pid: number): NetworkNamespace {
    return NetworkNamespace.ofPath(`/proc/${pid}/ns/net`);
  }

  /** That of a file which stands for one, such as those that `ip netns` makes. */
  static ofPath(path: string): NetworkNamespace {
    return new NetworkNamespace(openSync(path, 'r'));
  }

  /** One whose descriptor somebody else keeps open, and closes: the other thread, as a rule. */
  static ofFd(fd: number): NetworkNamespace {
    return new NetworkNamespace(fd);
  }

  /** Runs a synchronous step inside the namespace. Where the thread is in it already that takes no capability. */
  run<T>(step: () => T): T {
    const home = NetworkNamespace.ofThisThread();
    try {
      if (isSame(this.fd, home.fd)) return step();
      check(libc.setns(this.fd, CLONE_NEWNET), 'setns');
      try {
        return step();
      } finally {
        check(libc.setns(home.fd, CLONE_NEWNET), 'setns');
      }
    } finally {
      home[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

function isSame(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.ino === b.ino && a.dev === b.dev;
}
