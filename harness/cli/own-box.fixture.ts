/** For tests: two network namespaces joined by a veth as by a cable, in one of which our own TCP has a place. */
import { execFileSync } from 'node:child_process';
import { RealClock } from '../clock/index.js';
import {
  AgentClient,
  AgentEndpoint,
  type AgentTransition,
  KernelEndpoint,
  openStdioAgent,
} from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { NetworkNamespace } from '../sys/index.js';
import { MAIN } from './spawned.fixture.js';

export const KERNEL = { 4: '198.18.77.1', 6: 'fd77::1' } as const;
const BESIDE = { 4: '198.18.77.2', 6: 'fd77::2' } as const;
export const STACK = { 4: '198.18.77.200', 6: 'fd77::200' } as const;
const log = (): void => {};

export class BoxPlace implements Disposable {
  readonly kernel = NetworkNamespace.create();
  readonly box = NetworkNamespace.create();
  readonly clock = new RealClock(process.hrtime.bigint());
  readonly transitions: AgentTransition[] = [];
  readonly #clients: AgentClient[] = [];

  constructor() {
    const far = `/proc/${process.pid}/fd/${this.box.fd}`;
    this.ip(this.kernel, `link add name eth0 type veth peer name eth0 netns ${far}`);
    for (const [namespace, ips] of [
      [this.kernel, KERNEL],
      [this.box, BESIDE],
    ] as const) {
      this.ip(namespace, 'link set dev eth0 up');
      this.ip(namespace, `addr add ${ips[4]}/24 dev eth0`);
      this.ip(namespace, `addr add ${ips[6]}/64 dev eth0 nodad`);
    }
  }

  /** ip(8), one command; what it prints. */
  ip(namespace: NetworkNamespace, command: string): string {
    return this.run(namespace, 'ip', ...command.split(' '));
  }

  run(namespace: NetworkNamespace, program: string, ...args: readonly string[]): string {
    return namespace.run(() => execFileSync(program, args, { encoding: 'utf8' }));
  }

  /** The command, and who speaks with it. */
  start(...args: readonly string[]): AgentClient {
    const client = new AgentClient(
      this.box.run(() => openStdioAgent(process.execPath, [MAIN, 'stack-endpoint', ...args])),
    );
    this.#clients.push(client);
    return client;
  }

  async startStack(...args: readonly string[]): Promise<AgentClient> {
    const client = this.start('--ip', STACK[4], '--ip', STACK[6], ...args);
    await client.hello();
    await client.watchTransitions((transition) => this.transitions.push(transition));
    return client;
  }

  kernelEndpoint(side: Side, version: 4 | 6): KernelEndpoint {
    return new KernelEndpoint({ side, namespace: this.kernel, ip: KERNEL[version], clock: this.clock, log });
  }

  stackEndpoint(client: AgentClient, side: Side, version: 4 | 6): AgentEndpoint {
    return new AgentEndpoint({ client, side, ip: STACK[version], clock: this.clock, log, stack: 'stack@1' });
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.close();
    this.kernel[Symbol.dispose]();
    this.box[Symbol.dispose]();
  }
}
