/** Which eyes work on this machine, and why not: one sentence each, for `doctor`. */
import { messageOf } from '../text/index.js';
import { DestroyListener, SockDiag } from './sock-diag.js';
import { findTracefs } from './tracing-instance.js';
import type { Eye } from './transition.js';

export interface EyeCapability {
  readonly eye: Eye;
  readonly works: boolean;
  /** What it gives, or why it does not work and what to do. */
  readonly sentence: string;
}

export function probeEyes(): readonly EyeCapability[] {
  return [tracepoints(), sockDiag(), destroyNotifications(), tcpInfo];
}

function tracepoints(): EyeCapability {
  const tracefs = findTracefs();
  return 'why' in tracefs
    ? { eye: 'tracepoint', works: false, sentence: `${tracefs.why}; states come from sock_diag instead` }
    : { eye: 'tracepoint', works: true, sentence: `each change of state at its instant (${tracefs.root})` };
}

function sockDiag(): EyeCapability {
  const problem = failureOf(() => {
    const diag = new SockDiag();
    try {
      diag.dump({ ipVersion: 4 });
    } finally {
      diag[Symbol.dispose]();
    }
  });
  return problem === undefined
    ? {
        eye: 'sock_diag',
        works: true,
        sentence: 'each state that outlives a crossing of the wire, and all timers',
      }
    : {
        eye: 'sock_diag',
        works: false,
        sentence: `${problem}: the kernel needs CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG (modprobe tcp_diag)`,
      };
}

function destroyNotifications(): EyeCapability {
  const problem = failureOf(() => new DestroyListener()[Symbol.dispose]());
  return problem === undefined
    ? { eye: 'destroy', works: true, sentence: 'the end of each socket as the kernel frees it' }
    : {
        eye: 'destroy',
        works: false,
        sentence: `${problem}: the end of a socket is inferred from its absence`,
      };
}

const tcpInfo: EyeCapability = {
  eye: 'tcp_info',
  works: true,
  sentence: 'the state of a socket that is open, from the socket itself',
};

function failureOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
