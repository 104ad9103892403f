/** Listeners by port and address: who is meant by a segment that belongs to no connection. */
import type { SocketAddress } from '../tcp/index.js';
import { isAny, versionOf } from './address.js';
import type { TcpListener } from './tcp-listener.js';

export class ListenerTable {
  readonly #byPort = new Map<number, readonly TcpListener[]>();

  /** The one at this very address before the one at all of them. */
  find(ip: string, port: number): TcpListener | undefined {
    const there = this.#byPort.get(port);
    return (
      there?.find(({ local }) => local.ip === ip) ??
      there?.find(({ local }) => isAny(local.ip) && versionOf(local.ip) === versionOf(ip))
    );
  }

  hasPort(port: number): boolean {
    return this.#byPort.has(port);
  }

  /** Something listens there already, or at one of those addresses. */
  isTaken({ ip, port }: SocketAddress): boolean {
    const there = this.#byPort.get(port) ?? [];
    const isSame = (other: string): boolean =>
      other === ip || ((isAny(other) || isAny(ip)) && versionOf(other) === versionOf(ip));
    return there.some(({ local }) => isSame(local.ip));
  }

  add(listener: TcpListener): void {
    const { port } = listener.local;
    this.#byPort.set(port, [...(this.#byPort.get(port) ?? []), listener]);
  }

  remove(listener: TcpListener): void {
    const { port } = listener.local;
    const left = (this.#byPort.get(port) ?? []).filter((each) => each !== listener);
    if (left.length === 0) this.#byPort.delete(port);
    else this.#byPort.set(port, left);
  }

  clear(): void {
    this.#byPort.clear();
  }

  *[Symbol.iterator](): Iterator<TcpListener> {
    for (const there of this.#byPort.values()) yield* there;
  }
}
