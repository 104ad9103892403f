/**
 * Where the Docker engine is, by the rules of the docker client: what was asked for, then DOCKER_HOST, then DOCKER_CONTEXT, then the
 * current context of its configuration, then the usual socket. Pure, but for files that are read.
 */
import { join } from 'node:path';
import { type ClientFiles, contextEngine, currentContext, type TlsFiles, tlsFiles } from './docker-config.js';
import { EngineError } from './engine-error.js';

export interface EngineOptions {
  /** unix:///…, tcp://HOST:PORT or ssh://USER@HOST */
  readonly host?: string;
  readonly context?: string;
}

export type EngineAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: TlsFiles | undefined }
  | {
      readonly kind: 'ssh';
      readonly host: string;
      readonly user: string | undefined;
      readonly port: number | undefined;
      /** Of the engine's socket there, where it is not the usual one. */
      readonly path: string | undefined;
    };

export interface Surroundings extends ClientFiles {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

const USUAL_SOCKET = '/var/run/docker.sock';
const PORT = 2375;
const TLS_PORT = 2376;

export function engineAddress(options: EngineOptions, around: Surroundings): EngineAddress {
  const { env } = around;
  const folder = env.DOCKER_CONFIG || join(around.home, '.docker');
  const tls = (): TlsFiles | undefined => environmentTls(folder, around);
  if (options.host !== undefined) return addressOf(options.host, tls());
  const host = env.DOCKER_HOST ?? '';
  if (options.context === undefined && host !== '') return addressOf(host, tls());
  const context = options.context ?? (env.DOCKER_CONTEXT || currentContext(folder, around));
  if (context === undefined || context === 'default') return addressOf(host, tls());
  const found = contextEngine(context, folder, around);
  return addressOf(found.host, found.tls);
}

/** As in the docker client, any text in these variables means yes, and what is to be looked at is more than what is not. */
function environmentTls(folder: string, around: Surroundings): TlsFiles | undefined {
  const { DOCKER_TLS_VERIFY: verify = '', DOCKER_TLS: plain = '', DOCKER_CERT_PATH: path } = around.env;
  if (verify === '' && plain === '') return undefined;
  return tlsFiles(path || folder, around, verify === '');
}

function addressOf(host: string, tls: TlsFiles | undefined): EngineAddress {
  const text = host === '' ? 'unix://' : host.includes('://') ? host : `tcp://${host}`;
  if (text.startsWith('unix://')) return { kind: 'unix', path: text.slice('unix://'.length) || USUAL_SOCKET };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = url === undefined || url.port === '' ? undefined : Number(url.port);
  const name = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (url?.protocol === 'tcp:') {
    const usual = tls === undefined ? PORT : TLS_PORT;
    return { kind: 'tcp', host: name === '' ? 'localhost' : name, port: port ?? usual, tls };
  }
  if (url?.protocol === 'ssh:' && name !== '' && !name.startsWith('-')) {
    const path = url.pathname === '' || url.pathname === '/' ? undefined : url.pathname;
    const user = url.username === '' ? undefined : decodeURIComponent(url.username);
    return { kind: 'ssh', host: name, user, port, path };
  }
  throw new EngineError(
    'away',
    `"${host}" is no address of a Docker engine: write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST`,
  );
}

/** As a person would write it. */
export function addressText(address: EngineAddress): string {
  const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);
  switch (address.kind) {
    case 'unix':
      return `unix://${address.path}`;
    case 'tcp':
      return `tcp://${bracketed(address.host)}:${address.port}`;
    case 'ssh': {
      const { host, user, port, path } = address;
      const at = user === undefined ? '' : `${user}@`;
      return `ssh://${at}${bracketed(host)}${port === undefined ? '' : `:${port}`}${path ?? ''}`;
    }
  }
}

/** Where the ports are that its containers publish. A socket may lead elsewhere, but what its machine publishes comes out at this one. */
export const publishedHost = (address: EngineAddress): string =>
  address.kind === 'unix' ? '127.0.0.1' : address.host;
