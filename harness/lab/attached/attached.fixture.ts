/** For this folder's tests: two namespaces joined by a veth, one of them somebody else's that a wire is attached to. */
import { RealClock } from '../../clock/index.js';
import { type Connection, KernelEndpoint } from '../../endpoint/index.js';
import type { Fault, Side } from '../../fault/index.js';
import { monotonicNs, type NetworkNamespace } from '../../sys/index.js';
import { type BarePair, type BarePairOptions, openBarePair } from '../netns/bare-pair.js';
import { type Attachment, type AttachOptions, attach } from './attachment.js';
import { attachCapability } from './hooks.js';
import type { Target } from './target.js';

export const PORT = 5432;

const capability = attachCapability();

/** A `before` hook: skips the suite, and says why, where nothing can be attached to. */
export function needsAttach(this: Mocha.Context): void {
  if (capability.works) return;
  process.stderr.write(`skipped: ${capability.sentence}\n`);
  this.skip();
}

export const targetIn = (namespace: NetworkNamespace): Target => ({
  text: 'a namespace of the tests',
  reach: { kind: 'here', namespace },
  isAlive: () => true,
});

/** Endpoints that know of no wire. */
export class Ends implements AsyncDisposable {
  readonly #pair: BarePair;
  readonly client: KernelEndpoint;
  readonly server: KernelEndpoint;

  constructor(options: BarePairOptions = {}) {
    this.#pair = openBarePair(options);
    this.client = this.#endpoint('client');
    this.server = this.#endpoint('server');
  }

  #endpoint(side: Side): KernelEndpoint {
    return new KernelEndpoint({
      side,
      namespace: this.namespace(side),
      ip: this.ip(side),
      clock: new RealClock(monotonicNs()),
      log: () => {},
    });
  }

  namespace(side: Side): NetworkNamespace {
    return this.#pair.namespace(side);
  }

  ip(side: Side): string {
    return this.#pair.ip(side);
  }

  async connected(): Promise<{ client: Connection; server: Connection }> {
    const listener = await this.server.listen({ port: PORT });
    const client = await this.client.connect(listener.local);
    return { client, server: await listener.accept() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.#pair[Symbol.dispose]();
  }
}

/** Attaches at one side for one step, and ends it, also when the step fails. */
export async function withWireAt<T>(
  side: Side,
  faults: readonly Fault[],
  step: (parts: { ends: Ends; wire: Attachment }) => Promise<T>,
  options: Partial<AttachOptions> = {},
): Promise<T> {
  await using ends = new Ends();
  const target = targetIn(ends.namespace(side));
  await using wire = await attach({ target, port: PORT, faults, ...options });
  return await step({ ends, wire });
}
