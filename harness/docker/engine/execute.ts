/** A program that is run in a container, to its end. */
import type { Duplex } from 'node:stream';
import type Dockerode from 'dockerode';
import { type LimitedDoing, limited } from './call-limit.js';
import { Demultiplexer, STREAM } from './demultiplexer.js';

export interface Executed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Wanted {
  readonly engine: string;
  readonly id: string;
  readonly command: readonly string[];
}

/** Rejects with an EngineError where it cannot be started, as where the container has no such program. */
export async function executeIn(docker: Dockerode, { engine, id, command }: Wanted): Promise<Executed> {
  const what = `run "${command.join(' ')}" in container ${id.slice(0, 12)}`;
  const doing: LimitedDoing = { engine, what };
  const exec = await limited(doing, (abortSignal) =>
    docker.getContainer(id).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, abortSignal }),
  );
  const stream = await limited(doing, () => exec.start({ hijack: true, stdin: false }));
  const [stdout, stderr] = await outputs(stream);
  const { ExitCode: exitCode } = await limited(doing, (abortSignal) => exec.inspect({ abortSignal }));
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

async function outputs(stream: Duplex): Promise<readonly [stdout: string, stderr: string]> {
  const demultiplexer = new Demultiplexer();
  const said: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for await (const chunk of stream)
    for (const { stream: from, octets } of demultiplexer.pieces(chunk as Buffer))
      said[from === STREAM.stderr ? 'stderr' : 'stdout'].push(Buffer.from(octets));
  return [Buffer.concat(said.stdout).toString('utf8'), Buffer.concat(said.stderr).toString('utf8')];
}
