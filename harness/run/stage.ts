/** The stage that a scenario plays on: a lab's parts under the names that a story uses. */
import { NANOS_PER_MS } from '../clock/index.js';
import { type Endpoint, Peer, type TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import type { Lab } from '../lab/index.js';
import { humanTime } from '../text/index.js';
import type { MarkEvent } from '../trace/index.js';
import { reaching, sleepUntil } from './reaching.js';
import type { ReachOptions, Stage, Story } from './scenario.js';

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
    options?: ReachOptions,
  ): Promise<void> => {
    const endpoint = this.lab.endpoint(side);
    const sockets = () => endpoint.sockets();
    using changes = this.lab.changes?.(side);
    await reaching({ side, clock: this.clock, sockets, changes }, states, options);
  };

  readonly pass = async (ms: number, reason: string): Promise<void> => {
    this.mark(`${humanTime(ms)} pass: ${reason}`);
    await sleepUntil(this.clock, this.clock.now() + ms * NANOS_PER_MS);
  };
}
