/** Whether a container listens at a port: by a look at its kernel's sockets where that is permitted, else by connecting. */
import { connect } from 'node:net';
import type { Address } from '../../endpoint/index.js';
import { type EnteredTarget, socketsIn, targetOfPid } from '../../lab/index.js';

export type Listening = 'listens' | 'loopback' | 'no';

export interface Looks extends Disposable {
  look(): Promise<Listening>;
}

export interface Wanted {
  readonly isLocal: boolean;
  /** Of the container's first process. */
  readonly pid: number;
  readonly port: number;
  /** From here. */
  readonly address: Address;
}

/** A look leaves no trace in the service; a connection does. */
export function looksFor({ isLocal, pid, port, address }: Wanted): Looks {
  const target = isLocal && pid !== 0 ? enterable(pid) : undefined;
  if (target === undefined) return { look: () => answers(address), [Symbol.dispose]: () => {} };
  return { look: async () => listener(target, port), [Symbol.dispose]: () => target[Symbol.dispose]() };
}

function enterable(pid: number): EnteredTarget | undefined {
  try {
    return targetOfPid(pid);
  } catch {
    // It has ended, or may not be entered: connecting tells.
    return undefined;
  }
}

function listener({ namespace }: EnteredTarget, port: number): Listening {
  const listeners = socketsIn(namespace).filter(
    ({ state, local }) => state === 'LISTEN' && local.port === port,
  );
  if (listeners.length === 0) return 'no';
  return listeners.every(({ local }) => isLoopback(local.ip)) ? 'loopback' : 'listens';
}

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';

/** A published port may be accepted by the engine's proxy, which then hangs up when the container does not listen. */
const HANGS_UP_WITHIN_MS = 100;
const CONNECTS_WITHIN_MS = 1000;

function answers({ ip, port }: Address): Promise<Listening> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port });
    const end = (how: Listening): void => {
      clearTimeout(timer);
      // Nothing of this connection shall be seen by faults that are put in later.
      if (how === 'listens') socket.resetAndDestroy();
      else socket.destroy();
      resolve(how);
    };
    let timer = setTimeout(() => end('no'), CONNECTS_WITHIN_MS);
    socket.on('error', () => end('no')).on('close', () => end('no'));
    socket.on('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(() => end('listens'), HANGS_UP_WITHIN_MS);
    });
    socket.resume();
  });
}
