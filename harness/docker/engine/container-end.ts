/** The end of a container: watched from before its start, so that even one that ends at once is not missed. */
import type { IncomingMessage } from 'node:http';
import type Dockerode from 'dockerode';
import { type LimitedDoing, limited } from './call-limit.js';

export interface Ended {
  /** -1 where the engine went away before it could tell. */
  readonly exitCode: number;
  readonly sentence: string;
}

export interface EndWatch {
  readonly ended: Promise<Ended>;
  /** From now on its end is our own doing. */
  isOurs(): void;
}

const UNKNOWN = -1;
const KILLED = 137;

/** Resolves when the engine watches. */
export async function awaitingEnd(
  docker: Dockerode,
  id: string,
  { name, doing }: { readonly name: string; readonly doing: LimitedDoing },
): Promise<EndWatch> {
  let ours = false;
  // The engine sends the answer's head at once, and its body at the end; dockerode's own way waits for both.
  const answer = await limited(
    doing,
    (abortSignal) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        docker.modem.dial(
          {
            path: `/containers/${id}/wait?`,
            method: 'POST',
            isStream: true,
            options: { _query: { condition: 'next-exit' }, _body: {} },
            statusCodes: { 200: true, 400: 'bad parameter', 404: 'no such container', 500: 'server error' },
            abortSignal,
          },
          (error, response) => (error === null ? resolve(response as IncomingMessage) : reject(error)),
        );
      }),
  );
  const ended = bodyOf(answer).then((body): Ended => {
    const exitCode = body === undefined ? UNKNOWN : body.StatusCode;
    const how =
      body === undefined
        ? `${doing.engine} went away, and container ${name} with it`
        : ours
          ? `container ${name} was removed`
          : `container ${name} has ended: ${codeText(exitCode)}`;
    return { exitCode, sentence: how };
  });
  return {
    ended,
    isOurs: () => {
      ours = true;
    },
  };
}

const codeText = (code: number): string =>
  code === KILLED ? 'killed (137), by somebody or for want of memory' : `exit code ${code}`;

async function bodyOf(answer: IncomingMessage): Promise<{ readonly StatusCode: number } | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof body === 'object' &&
      body !== null &&
      'StatusCode' in body &&
      typeof body.StatusCode === 'number'
      ? { StatusCode: body.StatusCode }
      : undefined;
  } catch {
    return undefined;
  }
}
