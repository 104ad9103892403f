/** For tests of `attach`: a service as a process of its own in a network namespace, and a client beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { RealClock } from '../clock/index.js';
import { type Connection, KernelEndpoint } from '../endpoint/index.js';
import { attachCapability, openBarePair } from '../lab/index.js';
import { monotonicNs } from '../sys/index.js';
import { type Ended, ended, MAIN, type SpawnedOptions, start } from './spawned.fixture.js';

export const PORT = 5432;
/** Sends back what it is sent, and closes when the other side has. */
const ECHO = `require('node:net')
  .createServer((socket) => socket.on('error', () => {}).pipe(socket))
  .listen(${PORT}, '0.0.0.0', () => console.log('listens'));`;
const WITHIN_MS = 15_000;

const capability = attachCapability();

/** A `before` hook: skips, and says why, where nothing can be attached to. */
export function needsAttach(this: Mocha.Context): void {
  if (capability.works) return;
  process.stderr.write(`skipped: ${capability.sentence}\n`);
  this.skip();
}

export class Service implements AsyncDisposable {
  readonly #pair = openBarePair();
  readonly client = new KernelEndpoint({
    side: 'client',
    namespace: this.#pair.namespace('client'),
    ip: this.#pair.ip('client'),
    clock: new RealClock(monotonicNs()),
    log: () => {},
  });
  readonly namespace = this.#pair.namespace('server');
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    const child = this.namespace.run(() =>
      spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    this.#process = child;
    await once(child.stdout, 'data');
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the service was not started');
    return pid;
  }

  kill(): void {
    this.#process?.kill('SIGKILL');
  }

  /** What a client says comes back; the connection stays open. */
  async speak(text = 'hello'): Promise<Connection> {
    const connection = await this.connect();
    await this.echo(connection, text);
    return connection;
  }

  connect(): Promise<Connection> {
    return this.client.connect({ ip: this.#pair.ip('server'), port: PORT });
  }

  async echo(connection: Connection, text: string): Promise<void> {
    await connection.send(Buffer.from(text));
    const { data } = await connection.receiveAll({ octets: text.length });
    if (String(data) !== text) throw new Error(`the service said "${String(data)}"`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.client[Symbol.asyncDispose]();
    this.#pair[Symbol.dispose]();
  }
}

export interface Attached {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once it has said this. */
  says(words: RegExp): Promise<void>;
}

/** `lastack attach` as a process of its own; resolves once it is attached. */
export async function attached(args: readonly string[], options: SpawnedOptions): Promise<Attached> {
  const child = start(process.execPath, [MAIN, 'attach', ...args], options);
  const end = ended(child);
  let said = '';
  child.stdout?.on('data', (text: string) => {
    said += text;
  });
  const says = async (words: RegExp): Promise<void> => {
    const deadlineMs = performance.now() + WITHIN_MS;
    while (!words.test(said)) {
      if (child.exitCode !== null || performance.now() > deadlineMs)
        throw new Error(
          `it did not say ${words}: ${said} ${child.exitCode === null ? '' : (await end).stderr}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await says(/^attached to /m);
  return { child, ended: end, says };
}
