/**
 * The HTTP API of a Toxiproxy server, one request at a time. The npm package `toxiproxy-node-client` (node-client.ts) does not do here: it
 * speaks through Node's `fetch`, which cannot be given a socket of another network namespace, it drops what the server says of an error, and
 * it cannot change a part of a proxy or of a toxic (PATCH).
 */
import { type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../text/index.js';
import { ToxiproxyError } from './toxiproxy-error.js';

export interface ApiOptions {
  /** Of the API, such as `http://127.0.0.1:8474`. */
  readonly url: string;
  /** Makes the connections of the requests, where the server lives in another network namespace. */
  readonly connect?: () => Socket;
  /** A request that nobody answers is given up after so long (default 10 s). */
  readonly withinMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What the server says is wrong; empty when nothing is. */
  readonly problem: string;
}

/** The server answers its own requests within 25 s (api.go, timeoutMiddleware); one of ours is never that long. */
const WITHIN_MS = 10_000;

export class HttpApi {
  constructor(readonly options: ApiOptions) {}

  get url(): string {
    return this.options.url;
  }

  /** Rejects only when there is no answer. */
  async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    try {
      return await this.#exchange(method, path, body === undefined ? '' : JSON.stringify(body));
    } catch (error) {
      throw new ToxiproxyError(
        'away',
        `no Toxiproxy answers at ${this.url} (${reasonOf(error)}): start "toxiproxy-server", or give the address of one that runs`,
        { cause: error },
      );
    }
  }

  #exchange(method: string, path: string, body: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { connect, withinMs = WITHIN_MS } = this.options;
      // Its middleware refuses whoever calls itself Mozilla (api.go, stopBrowsersMiddleware).
      const headers = { 'user-agent': 'lastack', 'content-type': 'application/json', connection: 'close' };
      const options: RequestOptions = { method, headers, timeout: withinMs };
      const made: ClientRequest = request(
        new URL(path, this.url),
        // An agent, even none, would make the connection itself.
        { ...options, ...(connect === undefined ? { agent: false } : { createConnection: connect }) },
        (response) => void answerOf(response).then(resolve, reject),
      );
      made.once('error', reject);
      made.once('timeout', () => made.destroy(new Error(`it is silent for ${withinMs} ms`)));
      made.end(body);
    });
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);

async function answerOf(response: IncomingMessage): Promise<Answer> {
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += String(piece);
  const status = response.statusCode ?? 0;
  const body = parsed(text);
  return { status, body, problem: status < 300 ? '' : problemOf(body, text, status) };
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const problemOf = (body: unknown, text: string, status: number): string =>
  typeof body === 'object' && body !== null && 'error' in body
    ? String(body.error)
    : text.trim() || `HTTP ${status}`;
