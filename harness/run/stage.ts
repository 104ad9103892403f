/** The stage that a scenario plays on: a lab's parts under the names that a story uses. */
import { NANOS_PER_MS } from '../clock/index.js';
import { type Endpoint, Peer, type SocketState, type TcpState, WaitTimeout } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Lab } from '../lab/index.js';
import type { MarkEvent } from '../trace/index.js';
import type { ReachOptions, Stage, Story } from './scenario.js';

/** Between two looks at a state that no event announces. */
const LOOK_EVERY_MS = 20;

export class LabStage implements Stage {
  readonly marks: MarkEvent[] = [];
  #peer: Peer | undefined;

  constructor(
    private readonly lab: Lab,
    private readonly story: Pick<Story, 'id' | 'peer'>,
    readonly untilClosed: boolean,
  ) {}

  get ipVersion(): 4 | 6 {
    return this.lab.ipVersion;
  }

  get wire() {
    return this.lab.wire;
  }

  get clock() {
    return this.lab.clock;
  }

  get client(): Endpoint {
    return this.lab.endpoint('client');
  }

  get server(): Endpoint {
    return this.lab.endpoint('server');
  }

  get peer(): Peer {
    if (this.story.peer === undefined)
      throw new TypeError(`${this.story.id} has no scripted peer: set its "peer" to a side`);
    this.#peer ??= new Peer(this.lab.peerPort());
    return this.#peer;
  }

  // Functions that keep their `this`: stories take a stage apart, `({ client, server, ip, reaches }) => …`.

  readonly ip = (side: Side): string => this.lab.ip(side);

  readonly mark = (text: string): void => {
    this.marks.push({ kind: 'mark', atNs: this.clock.now(), text });
  };

  readonly reaches = async (
    side: Side,
    states: TcpState | readonly TcpState[],
    options: ReachOptions = {},
  ): Promise<void> => {
    const wanted = typeof states === 'string' ? [states] : states;
    const withinMs = options.withinMs ?? 10_000;
    const deadlineNs = this.clock.now() + withinMs * NANOS_PER_MS;
    for (;;) {
      const found = connectionsOf(await this.lab.endpoint(side).sockets(), options);
      const state = found[0]?.state ?? 'CLOSED';
      if (
        found.some((socket) => wanted.includes(socket.state)) ||
        (found.length === 0 && wanted.includes('CLOSED'))
      )
        return;
      if (this.clock.now() >= deadlineNs)
        throw new WaitTimeout(`${side} reaching ${wanted.join(' or ')}`, withinMs, `it is in ${state}`);
      await this.sleepUntil(Math.min(deadlineNs, this.clock.now() + nextLookMs(found) * NANOS_PER_MS));
    }
  };

  readonly pass = async (ms: number, reason: string): Promise<void> => {
    this.mark(`${ms} ms pass: ${reason}`);
    await this.sleepUntil(this.clock.now() + ms * NANOS_PER_MS);
  };

  private sleepUntil(atNs: number): Promise<void> {
    return new Promise((resolve) => this.clock.at(atNs, resolve));
  }
}

function connectionsOf(sockets: readonly SocketState[], { local }: ReachOptions): readonly SocketState[] {
  return sockets.filter(
    (socket) =>
      socket.state !== 'LISTEN' &&
      (local === undefined || (socket.local.port === local.port && socket.local.ip === local.ip)),
  );
}

/** A running TIME-WAIT timer says how long nothing can change by itself; a segment may still end it early. */
function nextLookMs(sockets: readonly SocketState[]): number {
  const remains = sockets.map((socket) => (socket.timer?.name === 'time-wait' ? socket.timer.remainsMs : 0));
  const soonest = Math.min(...remains, Number.POSITIVE_INFINITY);
  return soonest > 1000 && Number.isFinite(soonest) ? 250 : LOOK_EVERY_MS;
}
