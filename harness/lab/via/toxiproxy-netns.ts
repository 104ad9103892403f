/**
 * Client, Toxiproxy and server in three network namespaces of this machine, each with this machine's kernel. No Docker, and the same
 * wires as everywhere: each segment of both legs is recorded, and can be lost, held or rewritten.
 */
import { type Clock, RealClock } from '../../clock/index.js';
import { monotonicNs, NetworkNamespace } from '../../sys/index.js';
import { type ToxiproxyProxy, ToxiproxyServer, toxiproxyServer } from '../../toxiproxy/index.js';
import { destroySockets } from '../destroy-sockets.js';
import type { Lab, LabOptions } from '../lab.js';
import { explainLabFailure } from '../netns/explain.js';
import { openNetnsLeg } from '../netns/netns-lab.js';
import { addressText } from './address-text.js';
import { connectInside } from './namespace-socket.js';
import { type LegName, PORT, PROXY, type ViaLab, type ViaOptions } from './via-lab.js';

/** Free it with `await using` or its `asyncDispose`. Rejects with one sentence on what is missing. */
export async function openToxiproxyNetns(options: ViaOptions): Promise<ViaLab> {
  const { path } = await toxiproxyServer();
  let parts: Parts | undefined;
  try {
    parts = new Parts(options.ipVersion);
    return await parts.assemble(options, path);
  } catch (error) {
    await parts?.[Symbol.asyncDispose]();
    throw explainLabFailure(error);
  }
}

/** What was made so far, to be freed in any case. */
class Parts implements AsyncDisposable {
  readonly #ipVersion: 4 | 6;
  readonly #namespace = NetworkNamespace.create();
  readonly #legs: Lab[] = [];
  #server: ToxiproxyServer | undefined;

  constructor(ipVersion: 4 | 6) {
    this.#ipVersion = ipVersion;
  }

  async assemble(options: ViaOptions, program: string): Promise<ViaLab> {
    const epochNs = monotonicNs();
    const legs = {
      client: await this.#leg('client', options, epochNs),
      server: await this.#leg('server', options, epochNs),
    };
    const namespace = this.#namespace;
    const server = await ToxiproxyServer.start({
      program,
      inside: (step) => namespace.run(step),
      connect: (port) => connectInside(namespace, { ip: '127.0.0.1', port }),
    });
    this.#server = server;
    const proxyAddress = { ip: legs.client.ip('server'), port: PORT };
    const serverAddress = { ip: legs.server.ip('server'), port: PORT };
    const { client: toxiproxy } = server;
    const version = await toxiproxy.version();
    const proxy = await toxiproxy.addProxy({
      name: PROXY,
      listen: addressText(proxyAddress),
      upstream: addressText(serverAddress),
    });
    await addAll(proxy, options);
    return {
      name: 'netns',
      ipVersion: this.#ipVersion,
      clock: new RealClock(epochNs) satisfies Clock,
      legs,
      proxyStack: `toxiproxy@${version}`,
      toxiproxy,
      proxy,
      proxyAddress,
      serverAddress,
      [Symbol.asyncDispose]: () => this[Symbol.asyncDispose](),
    };
  }

  async #leg(name: LegName, options: ViaOptions, epochNs: bigint): Promise<Lab> {
    const side = name === 'client' ? 'server' : 'client';
    const link = name === 'client' ? 'first' : 'second';
    const leg = await openNetnsLeg(legOptions(name, options), {
      side,
      link,
      namespace: this.#namespace,
      epochNs,
    });
    this.#legs.push(leg);
    return leg;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // First: what it would send when its connections end concerns nobody any more.
      for (const leg of this.#legs.splice(0)) await leg[Symbol.asyncDispose]();
      await this.#server?.[Symbol.asyncDispose]();
    } finally {
      destroySockets(this.#namespace, this.#ipVersion);
      this.#namespace[Symbol.dispose]();
    }
  }
}

async function addAll(proxy: ToxiproxyProxy, { toxics = [] }: ViaOptions): Promise<void> {
  for (const toxic of toxics) await proxy.add(toxic);
}

/** What a leg's lab is told: the sides of its settings are the client and the proxy, or the proxy and the server. */
function legOptions(name: LegName, options: ViaOptions): LabOptions {
  const { ipVersion, mtu, faults, settings = {}, eyes } = options;
  const near = name === 'client' ? settings.client : settings.proxy;
  const far = name === 'client' ? settings.proxy : settings.server;
  const legMtu = mtu?.[name];
  return {
    ipVersion,
    faults: faults?.[name] ?? [],
    settings: {
      ...(near === undefined ? {} : { client: near }),
      ...(far === undefined ? {} : { server: far }),
    },
    ...(legMtu === undefined ? {} : { mtu: legMtu }),
    ...(eyes === undefined ? {} : { eyes }),
  };
}
