/** What people call that which they attach to: a process by its number, a container or a compose service by name. Pure. */
import type { NameKind } from '../docker/index.js';
import { UsageError } from './exit.js';

export type TargetName =
  | { readonly kind: 'process'; readonly pid: number }
  /** Without `as`: a container or a service. */
  | { readonly kind: 'named'; readonly name: string; readonly as?: NameKind };

/** `1234`, `web-1`, `web`, `shop/web`, and `pid:1234`, `container:1234`, `service:web`, where it must be said. */
export function targetName(text: string): TargetName {
  const [, prefix, rest = ''] = /^(pid|container|service):(.*)$/.exec(text) ?? [undefined, undefined, text];
  if (rest === '')
    throw new UsageError(
      prefix === undefined
        ? 'the target has no name: name a process by its id, or a container or a compose service by its name'
        : `"${text}" names nothing: write what is meant behind "${prefix}:"`,
    );
  if (prefix === 'container' || prefix === 'service') return { kind: 'named', name: rest, as: prefix };
  if (/^\d+$/.test(rest)) return { kind: 'process', pid: Number(rest) };
  if (prefix === 'pid')
    throw new UsageError(`"${rest}" is no process id: it is a number ("pgrep -n NAME" finds it)`);
  return { kind: 'named', name: rest };
}

/** `web:80`: a name, and the port that its server listens at. */
export function targetAndPort(text: string): { readonly name: TargetName; readonly port: number } {
  const [, name, digits] = /^(.+):(\d+)$/.exec(text) ?? [];
  const port = Number(digits);
  if (name === undefined || port < 1 || port > 65_535)
    throw new UsageError(
      `--target "${text}": name a container or a compose service and the port that it listens at, such as web:80`,
    );
  return { name: targetName(name), port };
}
