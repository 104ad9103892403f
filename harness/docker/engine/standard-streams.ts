/**
 * The standard streams of a container, from before its start: read to the end whoever listens, with the last lines kept for the
 * day on which it fails and is gone.
 */
import type { Duplex } from 'node:stream';
import { PassThrough, type Readable, Writable } from 'node:stream';
import type Dockerode from 'dockerode';
import { type LimitedDoing, limited } from './call-limit.js';
import { Demultiplexer, STREAM } from './demultiplexer.js';
import { LogTail } from './log-tail.js';

export interface Stdio {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export interface StandardStreams {
  /** Of both outputs, or with `stdio` of standard error. */
  readonly tail: LogTail;
  /** Where they were asked for. */
  readonly stdio: Stdio | undefined;
  /** Resolves when the outputs have been read to their end. */
  readonly drained: Promise<void>;
  close(): void;
}

/** Of a container that was made and not started. */
export async function attachStreams(
  docker: Dockerode,
  id: string,
  { hasStdio, doing }: { readonly hasStdio: boolean; readonly doing: LimitedDoing },
): Promise<StandardStreams> {
  const socket = await hijacked(docker, id, hasStdio, doing);
  return hasStdio ? ourStreams(socket) : keptTail(socket);
}

/** dockerode's own way has a body in the request, which could end up in the container's standard input. */
function hijacked(docker: Dockerode, id: string, hasStdio: boolean, doing: LimitedDoing): Promise<Duplex> {
  const _query = { stream: 1, stdout: 1, stderr: 1, ...(hasStdio && { stdin: 1 }) };
  return limited(
    doing,
    (abortSignal) =>
      new Promise<Duplex>((resolve, reject) => {
        docker.modem.dial(
          {
            path: `/containers/${id}/attach?`,
            method: 'POST',
            hijack: true,
            isStream: true,
            file: Buffer.alloc(0),
            headers: { 'Content-Type': 'text/plain' },
            options: { _query },
            statusCodes: { 200: true, 404: 'no such container', 409: 'conflict', 500: 'server error' },
            abortSignal,
          },
          // The upgraded connection.
          (error, socket) => (error === null ? resolve(socket as Duplex) : reject(error)),
        );
      }),
  );
}

function keptTail(socket: Duplex): StandardStreams {
  const tail = new LogTail();
  const demultiplexer = new Demultiplexer();
  socket.on('data', (chunk: Buffer) => {
    for (const { octets } of demultiplexer.pieces(chunk)) tail.add(octets);
  });
  return { tail, stdio: undefined, drained: closed(socket), close: () => socket.destroy() };
}

/** A reader that is slow holds up the container, as a pipe would. */
function ourStreams(socket: Duplex): StandardStreams {
  const tail = new LogTail();
  const demultiplexer = new Demultiplexer();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  socket.on('data', (chunk: Buffer) => {
    for (const { stream, octets } of demultiplexer.pieces(chunk)) {
      const output = stream === STREAM.stderr ? stderr : stdout;
      if (output === stderr) tail.add(octets);
      if (output.write(octets)) continue;
      socket.pause();
      output.once('drain', () => {
        if (!stdout.writableNeedDrain && !stderr.writableNeedDrain) socket.resume();
      });
    }
  });
  const drained = closed(socket).then(() => {
    stdout.end();
    stderr.end();
  });
  const stdin = new Writable({
    write: (octets: Buffer, _encoding, done) => void socket.write(octets, done),
    final: (done) => void socket.end(done),
  });
  // What breaks here is told by the container's end.
  stdin.on('error', () => {});
  return { tail, stdio: { stdin, stdout, stderr }, drained, close: () => socket.destroy() };
}

const closed = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => {
    // A connection that breaks is an end as well: the container's own end says why.
    socket.on('error', () => {}).once('close', resolve);
    socket.once('end', resolve);
  });
