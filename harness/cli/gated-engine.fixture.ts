/** For tests: this machine's engine behind a gate that answers some calls itself, as authorization plugins and other engines do. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

const ENGINE = '/var/run/docker.sock';

export interface Asked {
  readonly method: string;
  /** Without the version of the API. */
  readonly path: string;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export const refused = (status: number, message: string): Answered => ({ status, body: { message } });

/** An engine's socket in `folder`; what `answer` says nothing to goes on to the real one. */
export async function gatedEngine(
  folder: string,
  answer: (asked: Asked) => Answered | undefined,
): Promise<AsyncDisposable & { readonly host: string }> {
  const path = join(folder, 'docker.sock');
  const server = createServer((asked, response) => void pass(asked, response, answer));
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
  });
  server.on('upgrade', upgraded);
  await once(server.listen(path), 'listening');
  return {
    host: `unix://${path}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server.close(), 'close');
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function pass(
  asked: IncomingMessage,
  response: ServerResponse,
  answer: (asked: Asked) => Answered | undefined,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = asked;
  const chunks: Buffer[] = [];
  for await (const chunk of asked) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const own = answer({ method, path: url.replace(/^\/v[\d.]+/, ''), body: body.toString() });
  if (own !== undefined) {
    response.writeHead(own.status, { 'content-type': 'application/json' }).end(JSON.stringify(own.body));
    return;
  }
  const onward = request({ socketPath: ENGINE, method, path: url, headers }, (real) => {
    response.writeHead(real.statusCode ?? 500, real.headers);
    // The head of an answer that lasts comes at once.
    response.flushHeaders();
    real.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  onward.end(body);
}

/** Standard streams of a container. */
function upgraded(asked: IncomingMessage, socket: Socket, head: Buffer): void {
  const engine = connect({ path: ENGINE, allowHalfOpen: true });
  const headers = asked.rawHeaders.flatMap((name, i) =>
    i % 2 === 0 ? [`${name}: ${asked.rawHeaders[i + 1]}`] : [],
  );
  engine.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
  engine.write(head);
  engine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => engine.destroy());
  socket.pipe(engine).pipe(socket);
}
