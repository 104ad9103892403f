/**
 * A container that somebody else has started and whose program waits at its standard input: its streams are ours for a while. When we
 * let go of them it goes on, and can be adopted again.
 */
import { once } from 'node:events';
import type Dockerode from 'dockerode';
import { type LimitedDoing, limited } from './call-limit.js';
import { awaitingEnd, type Ended } from './container-end.js';
import { EngineError } from './engine-error.js';
import type { FoundContainer } from './find-container.js';
import { attachStreams, type Stdio } from './standard-streams.js';

export interface AdoptedContainer extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  /** On the first of its networks that has one. */
  ip(version: 4 | 6): string;
  readonly stdio: Stdio;
  /** Resolves when it ends, and when our side of its input has ended: then it is nobody's again. */
  readonly ended: Promise<Ended>;
}

/** Rejects with an `EngineError`. */
export async function adoptContainer(
  { docker, text: engine }: { readonly docker: Dockerode; readonly text: string },
  found: FoundContainer,
): Promise<AdoptedContainer> {
  const { id, name, pid } = found;
  const doing = (what: string): LimitedDoing => ({ engine, what: `${what} container ${name}` });
  const { Config } = await limited(doing('look at'), (abortSignal) =>
    docker.getContainer(id).inspect({ abortSignal }),
  );
  if (!Config.OpenStdin || Config.Tty)
    throw new EngineError(
      'refused',
      `container ${name} has no standard input to talk to: start it with one and without a terminal ("stdin_open: true" in docker-compose.yml, "-i" of docker run)`,
    );
  const end = await awaitingEnd(docker, id, { name, doing: doing('watch') });
  const streams = await attachStreams(docker, id, { hasStdio: true, doing: doing('attach to') });
  const { stdio } = streams;
  if (stdio === undefined) throw new TypeError('the streams of an adopted container were asked for');
  const letGo = once(stdio.stdin, 'finish').then(
    (): Ended => ({ exitCode: 0, sentence: `container ${name} was let go` }),
    // What breaks its input is told by its end.
    () => end.ended,
  );
  return {
    id,
    name,
    pid,
    stdio,
    ended: Promise.race([end.ended, letGo]),
    ip: (version) => addressOf(found, version),
    [Symbol.asyncDispose]: async () => streams.close(),
  };
}

function addressOf({ name, networks }: FoundContainer, version: 4 | 6): string {
  for (const { ip, ipv6 } of networks) {
    const address = version === 4 ? ip : ipv6;
    if (address !== undefined) return address;
  }
  throw new EngineError(
    'refused',
    `container ${name} has no IPv${version} address on any of its networks: put it into one that has`,
  );
}
