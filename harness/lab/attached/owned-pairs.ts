/** Which connections of a namespace are those of the port that we attach to, and which side of them the namespace has. Pure. */
import type { Side } from '../../fault/index.js';
import type { Pair } from '../../observe/index.js';

export interface OwnedPairsOptions {
  readonly side: Side;
  /** The server's. */
  readonly port: number;
  /** The namespace's addresses; may grow. */
  readonly localIps: ReadonlySet<string>;
}

/** Whether the namespace has this side of the connection. A listener is the server's. */
export function ownedPairs({ side, port, localIps }: OwnedPairsOptions): (pair: Pair) => boolean {
  const isServer = side === 'server';
  return ({ local, remote }) => {
    if (isServer !== (local.port === port) || (!isServer && remote.port !== port)) return false;
    return isAny(local.ip) || localIps.has(local.ip) || local.ip.startsWith('127.');
  };
}

const isAny = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';
