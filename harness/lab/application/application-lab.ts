/** A lab whose server is an application: the stories of other labs play in it, as far as an application does what they need. */
import type { Address, Endpoint, PeerPort, SocketState } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import type { Lab, Recording } from '../lab.js';
import { ApplicationEndpoint } from './application-endpoint.js';
import type { Dialogue } from './dialogue.js';

export interface Application {
  /** For people: `nginx in container web-1`. */
  readonly text: string;
  readonly stack: string;
  readonly address: Address;
  readonly dialogue: Dialogue;
  readonly sockets: () => Promise<readonly SocketState[]>;
  /** Whether the program is still there. */
  readonly isAlive?: () => boolean;
}

/** What it takes over of the lab below: everything but the server. */
type Below = Omit<Lab, 'peerPort' | 'changes' | 'application'>;

export class ApplicationLab implements Lab {
  readonly application: string;
  readonly #below: Below;
  readonly #client: Endpoint;
  readonly #server: ApplicationEndpoint;

  constructor(below: Below, application: Application) {
    this.application = application.text;
    this.#below = below;
    const server = new ApplicationEndpoint({ ...application, clock: below.clock, wire: below.wire });
    this.#client = application.dialogue.client(below.endpoint('client'), (to) => server.reachedAt(to));
    this.#server = server;
  }

  get name() {
    return this.#below.name;
  }

  get ipVersion() {
    return this.#below.ipVersion;
  }

  get clock() {
    return this.#below.clock;
  }

  get wire() {
    return this.#below.wire;
  }

  endpoint(side: Side): Endpoint {
    return side === 'client' ? this.#client : this.#server;
  }

  ip(side: Side): string {
    return this.#below.ip(side);
  }

  peerPort(): PeerPort {
    throw new TypeError('this lab has an application on one side: it has no scripted peer');
  }

  recording(): Promise<Recording> {
    return this.#below.recording();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#below[Symbol.asyncDispose]();
  }
}
