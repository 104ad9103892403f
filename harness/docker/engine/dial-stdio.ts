/**
 * Connections to an engine of another host, as the docker client makes them: `ssh HOST docker system dial-stdio`, whose standard input
 * and output are the connection. So keys, agents, jump hosts and aliases are those of the user's own ssh.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { EngineAddress } from './engine-address.js';
import { EngineError } from './engine-error.js';

export type SshAddress = EngineAddress & { readonly kind: 'ssh' };

const CONNECT_WITHIN_S = 15;
const MOST_COMPLAINT = 1000;

/** Never asks for a password or a passphrase: nobody may be there to answer. */
export function sshArguments({ host, user, port, path }: SshAddress): readonly string[] {
  return [
    ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${CONNECT_WITHIN_S}`, '-T'],
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...['--', host, 'docker'],
    ...(path === undefined ? [] : ['--host', `unix://${path}`]),
    ...['system', 'dial-stdio'],
  ];
}

/** An ssh is a slow thing to start: connections are kept for the next request. */
export class DialStdioAgent extends Agent {
  readonly #address: SshAddress;
  readonly #engine: string;

  constructor(address: SshAddress, engine: string) {
    super({ keepAlive: true });
    this.#address = address;
    this.#engine = engine;
  }

  override createConnection(): Duplex {
    return new DialedStream(this.#address, this.#engine);
  }
}

/** What http asks of a socket, on top of a child's two pipes. */
class DialedStream extends Duplex {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #complaint = '';
  #hasSpoken = false;

  constructor(address: SshAddress, engine: string) {
    super({ allowHalfOpen: true });
    const child = spawn('ssh', sshArguments(address), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.on('error', (error: NodeJS.ErrnoException) =>
      this.destroy(
        error.code === 'ENOENT'
          ? new EngineError(
              'away',
              `${engine} is behind ssh, which is missing: apt-get install openssh-client`,
            )
          : error,
      ),
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = `${this.#complaint}${text}`.slice(-MOST_COMPLAINT);
    });
    child.stdout.on('data', (octets: Buffer) => {
      this.#hasSpoken = true;
      if (!this.push(octets)) child.stdout.pause();
    });
    // The pipes' own errors are those of an ssh that has ended, which is told below.
    child.stdin.on('error', () => {});
    child.on('close', (code) => {
      if (this.#hasSpoken) this.push(null);
      else this.destroy(refusal(engine, code, this.#complaint));
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(octets: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(octets, () => done());
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#child.kill();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  /** A connection that nobody uses keeps no process alive. */
  unref(): this {
    this.#child.unref();
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (pipe as unknown as { unref(): void }).unref(); // pipes are sockets; their types do not tell
    return this;
  }

  ref(): this {
    this.#child.ref();
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      (pipe as unknown as { ref(): void }).ref();
    return this;
  }
}

const COMMAND_NOT_FOUND = 127;

/** Exported for the test of its sentences. */
export function refusal(engine: string, code: number | null, complaint: string): EngineError {
  const said = complaint.trim().split('\n').at(-1)?.trim() ?? '';
  if (code === COMMAND_NOT_FOUND)
    return new EngineError('away', `${engine}: that host has no docker client: install docker.io there`);
  if (/Permission denied \(/.test(complaint))
    return new EngineError(
      'forbidden',
      `${engine}: ssh was not let in (${said}): load your key with ssh-add, and check the user's name`,
    );
  if (/Host key verification failed/.test(complaint))
    return new EngineError(
      'forbidden',
      `${engine}: ssh does not know that host's key: log in once with ssh, and accept it`,
    );
  if (/Could not resolve hostname/.test(complaint))
    return new EngineError(
      'away',
      `the host of ${engine} has no address: check the name in DOCKER_HOST or the context`,
    );
  if (/permission denied/i.test(complaint))
    return new EngineError(
      'forbidden',
      `${engine}: its user there may not use the socket (${said}): add them to the group docker`,
    );
  return new EngineError(
    'away',
    `${engine} cannot be reached through ssh: ${said || `it ended with ${code}`}`,
  );
}
