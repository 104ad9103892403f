/** For tests: two network namespaces with a veth between them, TCP between them through this kernel, and what rules are there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa, execaSync } from 'execa';
import { NetworkNamespace } from '../../sys/index.js';
import { rulesCapability } from './probe.js';
import type { Dialect } from './rule-set.js';

export const CLIENT = '10.9.8.1';
export const SERVER = '10.9.8.2';
export const PORT = 8080;

export class Host implements Disposable {
  readonly #namespace = NetworkNamespace.create();

  get path(): string {
    return `/proc/${process.pid}/fd/${this.#namespace.fd}`;
  }

  /** A synchronous step inside. */
  inside<T>(step: () => T): T {
    return this.#namespace.run(step);
  }

  /** Standard output of a command inside. */
  async run(file: string, ...args: readonly string[]): Promise<string> {
    return (await execa('nsenter', [`--net=${this.path}`, '--', file, ...args])).stdout;
  }

  /** The same with its standard input. */
  async feed(input: string, file: string, ...args: readonly string[]): Promise<string> {
    return (await execa('nsenter', [`--net=${this.path}`, '--', file, ...args], { input })).stdout;
  }

  start(file: string, ...args: readonly string[]): ChildProcess {
    return spawn('nsenter', [`--net=${this.path}`, '--', file, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  [Symbol.dispose](): void {
    this.#namespace[Symbol.dispose]();
  }
}

/** Says "ready", and answers each connection with what it was sent. */
const ECHO = `require('net').createServer((s) => s.pipe(s)).listen(${PORT}, '${SERVER}', () => console.log('ready'))`;

/** How long the connection and the answer took, in milliseconds. */
const ASK = `const t = performance.now(); let open;
const s = require('net').connect({ port: ${PORT}, host: '${SERVER}' }, () => { open = performance.now() - t; s.write('GET /') });
s.on('error', (e) => console.log(JSON.stringify({ error: e.code })));
s.on('data', () => { console.log(JSON.stringify({ openMs: open, answerMs: performance.now() - t - open })); s.destroy(); });`;

export interface Asked {
  readonly openMs: number;
  readonly answerMs: number;
}

export class TwoHosts implements AsyncDisposable {
  readonly client = new Host();
  readonly server = new Host();
  #listener: ChildProcess | undefined;

  static async make(): Promise<TwoHosts> {
    const hosts = new TwoHosts();
    const { client, server } = hosts;
    await client.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
    await client.run('ip', 'link', 'set', 'eth1', 'netns', server.path);
    await server.run('ip', 'link', 'set', 'eth1', 'name', 'eth0');
    for (const [host, address] of [
      [client, CLIENT],
      [server, SERVER],
    ] as const) {
      await host.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
      await host.run('ip', 'link', 'set', 'lo', 'up');
      await host.run('ip', 'link', 'set', 'eth0', 'up');
    }
    const listener = server.start(process.execPath, '-e', ECHO);
    hosts.#listener = listener;
    if (listener.stdout !== null) await once(listener.stdout, 'data');
    return hosts;
  }

  /** One connection, with a request and its answer. */
  async ask(): Promise<Asked> {
    return JSON.parse(await this.client.run(process.execPath, '-e', ASK));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const listener = this.#listener;
    if (listener !== undefined && listener.exitCode === null) {
      listener.kill();
      await once(listener, 'exit');
    }
    this.client[Symbol.dispose]();
    this.server[Symbol.dispose]();
  }
}

const LISTS: Readonly<Record<Dialect, readonly (readonly [string, ...string[]])[]>> = {
  iptables: [['iptables-save'], ['ip6tables-save']],
  nft: [['nft', 'list', 'ruleset']],
  tc: [
    ['tc', 'qdisc', 'show'],
    ['tc', 'filter', 'show', 'dev', 'eth0', 'ingress'],
  ],
};

/** All rules and qdiscs of a host, without what `iptables-save` says of itself and tables that are empty. */
export async function rulesOn(host: Host, dialect: Dialect): Promise<readonly string[]> {
  const texts = await Promise.all(LISTS[dialect].map(([file, ...args]) => host.run(file, ...args)));
  return texts
    .join('\n')
    .split('\n')
    .filter((line) => line !== '' && !/^(#|\*|COMMIT|:[A-Z]+ (ACCEPT|-) )/.test(line));
}

/** A `before` hook: skips, and says why, where the dialect cannot be had. */
export const needs = (dialect: Dialect) =>
  function skipUnlessThere(this: Mocha.Context): void {
    const { works, sentence } = rulesCapability(dialect);
    const hasIp = !execaSync('ip', ['-V'], { reject: false }).failed;
    if (works && hasIp) return;
    process.stderr.write(`skipped: ${works ? 'ip is missing: apt-get install iproute2' : sentence}\n`);
    this.skip();
  };
