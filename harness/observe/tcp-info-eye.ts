/**
 * The eye of last resort, where the kernel has no sock_diag: asks open sockets for their state (TCP_INFO). It sees neither
 * request sockets nor orphans nor TIME-WAIT, and nothing of a socket once it is closed.
 */
import type { Clock, Nanos } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Sighting } from './sighting.js';
import type { Pair } from './sock-diag.js';

export interface OpenSocket extends Pair {
  readonly side: Side;
  /** The state from TCP_INFO; undefined once the socket is closed. */
  state(): TcpState | undefined;
}

export class TcpInfoEye {
  readonly #clock: Clock;
  readonly #report: (sighting: Sighting) => void;
  readonly #sockets = new Map<OpenSocket, { cookie: string; lookedNs: Nanos; state: TcpState }>();
  #added = 0;

  constructor(options: { readonly clock: Clock; readonly report: (sighting: Sighting) => void }) {
    this.#clock = options.clock;
    this.#report = options.report;
  }

  /** Watches a socket from when it has both its addresses. */
  add(socket: OpenSocket): void {
    this.#added += 1;
    this.#sockets.set(socket, {
      cookie: `tcp_info ${this.#added}`,
      lookedNs: this.#clock.now(),
      state: 'CLOSED',
    });
  }

  /** Asks all sockets. For before and after each call on one, and each segment. */
  look(): void {
    for (const [socket, last] of this.#sockets) {
      const beganNs = this.#clock.now();
      const state = socket.state();
      // What becomes of a connection that nobody has open any more, this eye cannot see.
      if (state === undefined) this.#sockets.delete(socket);
      else if (state !== last.state) this.#report(this.#sighting(socket, last, state));
      if (state !== undefined) Object.assign(last, { lookedNs: beganNs, state });
    }
  }

  #sighting(
    { side, local, remote }: OpenSocket,
    last: { readonly cookie: string; readonly lookedNs: Nanos },
    state: TcpState,
  ): Sighting {
    const isClosed = state === 'CLOSED';
    return {
      kind: 'sighting',
      side,
      local,
      remote,
      atNs: this.#clock.now(),
      notBeforeNs: last.lookedNs,
      state,
      holder: isClosed ? 'none' : 'full',
      ...(isClosed ? {} : { cookie: last.cookie }),
      isListened: false,
      eye: 'tcp_info',
    };
  }
}
