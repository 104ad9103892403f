/** Two hosts with Node's face, in virtual time that passes as fast as the event loop lets it. */
import { TwoHosts, type TwoHostsOptions } from '../simulation/two-hosts.js';
import { Net } from './net.js';

export class Pair implements Disposable {
  readonly hosts: TwoHosts;
  readonly client: Net;
  readonly server: Net;
  #isRunning = true;

  constructor(options: TwoHostsOptions = {}) {
    this.hosts = new TwoHosts(options);
    this.client = new Net(this.hosts.client);
    this.server = new Net(this.hosts.server);
    const turn = (): void => {
      // What a step sets off in streams has its turn before the next one.
      if (this.#isRunning) setImmediate(turn);
      for (let i = 0; i < STEPS_A_TURN; i += 1) this.hosts.clock.step();
    };
    setImmediate(turn);
  }

  [Symbol.dispose](): void {
    this.#isRunning = false;
  }
}

const STEPS_A_TURN = 8;
