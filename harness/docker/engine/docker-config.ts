/** What the docker client keeps in its folder: the current context, and the engines behind contexts. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EngineError } from './engine-error.js';

/** Files as the client finds them. */
export interface ClientFiles {
  /** Undefined where there is none. */
  read(path: string): string | undefined;
  list(folder: string): readonly string[];
}

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Whether the engine's certificate is not looked at. */
  readonly isUnverified: boolean;
}

export interface ContextEngine {
  readonly host: string;
  readonly tls: TlsFiles | undefined;
}

/** Of the configuration; undefined where there is none, or the default one. */
export function currentContext(folder: string, files: ClientFiles): string | undefined {
  const path = join(folder, 'config.json');
  const { currentContext: name } = parsed<{ currentContext?: unknown }>(path, files.read(path) ?? '{}');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

interface ContextMeta {
  readonly Name?: string;
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

export function contextEngine(name: string, folder: string, files: ClientFiles): ContextEngine {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(folder, 'contexts', 'meta', id, 'meta.json');
  const text = files.read(path);
  if (text === undefined)
    throw new EngineError('away', `there is no Docker context "${name}"${knownContexts(folder, files)}`);
  const { Host: host, SkipTLSVerify: isUnverified = false } =
    parsed<ContextMeta>(path, text).Endpoints?.docker ?? {};
  if (host === undefined)
    throw new EngineError('away', `the Docker context "${name}" names no engine (${path}): make it anew`);
  const tls = tlsFiles(join(folder, 'contexts', 'tls', id, 'docker'), files, isUnverified);
  return { host, tls: tls.ca !== undefined || tls.cert !== undefined || isUnverified ? tls : undefined };
}

export function tlsFiles(folder: string, files: ClientFiles, isUnverified: boolean): TlsFiles {
  const read = (key: 'ca' | 'cert' | 'key') => {
    const text = files.read(join(folder, `${key}.pem`));
    return text === undefined ? {} : { [key]: text };
  };
  return { ...read('ca'), ...read('cert'), ...read('key'), isUnverified };
}

function knownContexts(folder: string, files: ClientFiles): string {
  const names = files
    .list(join(folder, 'contexts', 'meta'))
    .flatMap((id) => {
      const path = join(folder, 'contexts', 'meta', id, 'meta.json');
      return parsed<ContextMeta>(path, files.read(path) ?? '{}').Name ?? [];
    })
    .map((each) => `"${each}"`);
  return `: there ${names.length === 0 ? 'is only "default"' : `are "default", ${names.join(', ')}`}`;
}

function parsed<T extends object>(path: string, text: string): T {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below.
  }
  throw new EngineError('away', `${path} is no JSON object: mend it, or move it away`);
}
