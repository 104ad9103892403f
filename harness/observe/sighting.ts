/** What a look at a connection's socket found, recorded when it differs from the look before. Plain data. */
import type { Nanos } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Pair, SocketHolder } from './sock-diag.js';

export interface Sighting extends Pair {
  readonly kind: 'sighting';
  readonly side: Side;
  /** By when it was so: the end of the look. */
  readonly atNs: Nanos;
  /** The beginning of the last look that saw what was before: nothing of this had happened then. */
  readonly notBeforeNs: Nanos;
  /** CLOSED when there is no socket. */
  readonly state: TcpState;
  readonly holder: SocketHolder | 'none';
  /** Names the connection, from request to mini socket. Absent with `none`. */
  readonly cookie?: string;
  /** With `none`: a socket listens at the local address. */
  readonly isListened: boolean;
  /** `destroy`: the kernel had just told that it freed the socket; `tcp_info`: the open socket itself was asked. */
  readonly eye: 'sock_diag' | 'destroy' | 'tcp_info';
}

export const pairKey = (side: Side, { local, remote }: Pair): string =>
  `${side} ${local.ip} ${local.port} ${remote.ip} ${remote.port}`;

/** One connection (or listener) as the looks saw it: all sightings that share a cookie, and how it ended. */
export interface SightedLife extends Pair {
  readonly side: Side;
  readonly sightings: readonly Sighting[];
  /** The first look that no longer found it: its pair had no socket, or another connection's. */
  readonly end?: Sighting;
  /** A socket listened there when this began, or it began as a request: it was opened passively. */
  readonly isPassive: boolean;
}

/** Sorts sightings into lives. A pair that is used again is another life. */
export function livesOf(sightings: readonly Sighting[]): SightedLife[] {
  type Open = { -readonly [K in keyof SightedLife]: SightedLife[K] } & { sightings: Sighting[] };
  const lives: Open[] = [];
  const current = new Map<string, { life?: Open | undefined; last: Sighting }>();
  for (const sighting of sightings) {
    const key = pairKey(sighting.side, sighting);
    const known = current.get(key);
    let life = known?.life;
    if (life !== undefined && life.sightings[0]?.cookie !== sighting.cookie) {
      life.end = sighting;
      life = undefined;
    }
    if (life !== undefined) life.sightings.push(sighting);
    else if (sighting.holder !== 'none') {
      const { side, local, remote } = sighting;
      const isPassive = sighting.holder === 'request' || known?.last.isListened === true;
      life = { side, local, remote, sightings: [sighting], isPassive };
      lives.push(life);
    }
    current.set(key, { life, last: sighting });
  }
  return lives;
}
