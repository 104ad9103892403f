/** A Toxiproxy server that runs as a child of this process and ends with it, whatever ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { ToxiproxyClient } from './client.js';
import { ToxiproxyError } from './toxiproxy-error.js';

export interface ServerOptions {
  readonly program: string;
  /** Of the API (default 8474 at 127.0.0.1). */
  readonly port?: number;
  /** Where it runs: a synchronous step inside another network namespace (default: here). */
  readonly inside?: <T>(step: () => T) => T;
  /** Makes connections to the API from here, where it runs elsewhere. */
  readonly connect?: (port: number) => Socket;
}

const API_PORT = 8474;
const STARTS_WITHIN_MS = 10_000;
const LINES_KEPT = 20;

/**
 * A shell stands between: it holds the other end of our pipe, and kills the server when that ends, which a `kill -9` of this
 * process makes it do too. The server itself gets nothing of the pipe.
 */
const KEEPER = [
  'exec 3<&0',
  '"$@" </dev/null 3<&- & p=$!',
  '{ read -r _ <&3; kill -9 $p; } >/dev/null 2>&1 & r=$!',
  'exec 3<&-',
  'wait $p; e=$?',
  'kill $r 2>/dev/null',
  'exit $e',
].join('\n');

export class ToxiproxyServer implements AsyncDisposable {
  readonly client: ToxiproxyClient;
  readonly #child: ChildProcess;
  readonly #log: string[] = [];
  readonly #ended: Promise<unknown>;

  private constructor({ program, port = API_PORT, inside = (step) => step(), connect }: ServerOptions) {
    const args = ['-c', KEEPER, 'sh', program, '-host', '127.0.0.1', '-port', String(port)];
    this.#child = inside(() => spawn('sh', args, { stdio: ['pipe', 'pipe', 'pipe'] }));
    this.#ended = once(this.#child, 'exit');
    this.#ended.catch(() => {});
    for (const output of [this.#child.stdout, this.#child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    this.client = new ToxiproxyClient({
      url: `http://127.0.0.1:${port}`,
      ...(connect === undefined ? {} : { connect: () => connect(port) }),
    });
  }

  /** Resolves when its API answers. */
  static async start(options: ServerOptions): Promise<ToxiproxyServer> {
    const server = new ToxiproxyServer(options);
    try {
      await server.#answers();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Its last words. */
  get log(): readonly string[] {
    return this.#log;
  }

  async #answers(): Promise<void> {
    const untilMs = performance.now() + STARTS_WITHIN_MS;
    for (;;) {
      if (this.#child.exitCode !== null || performance.now() > untilMs)
        throw new ToxiproxyError(
          'away',
          `the Toxiproxy server does not start: ${this.#log.at(-1) ?? 'it said nothing'}`,
        );
      try {
        await this.client.version();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  #keep(text: string): void {
    this.#log.push(...text.split('\n').filter((line) => line !== ''));
    this.#log.splice(0, Math.max(0, this.#log.length - LINES_KEPT));
  }

  /** Resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#ended;
  }
}
