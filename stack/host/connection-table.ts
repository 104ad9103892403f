/** Connections by their two sockets (RFC 9293 section 3.3.2: the pair identifies the connection). */
import type { SocketAddress } from '../tcp/index.js';

export interface Paired {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** Both ports as one number; addresses tell apart what shares them. */
const portsKey = (localPort: number, remotePort: number): number => localPort * 65_536 + remotePort;

export class ConnectionTable<T extends Paired> {
  readonly #byPorts = new Map<number, T | T[]>();
  #count = 0;
  /** The one that was found last: packets come in rows. */
  #last: T | undefined;

  get count(): number {
    return this.#count;
  }

  find(localIp: string, localPort: number, remoteIp: string, remotePort: number): T | undefined {
    const last = this.#last;
    if (
      last !== undefined &&
      last.local.port === localPort &&
      last.remote.port === remotePort &&
      isOf(last, localIp, remoteIp)
    )
      return last;
    const found = this.#byPorts.get(portsKey(localPort, remotePort));
    const one = Array.isArray(found) ? found.find((each) => isOf(each, localIp, remoteIp)) : found;
    if (one === undefined || !isOf(one, localIp, remoteIp)) return undefined;
    this.#last = one;
    return one;
  }

  add(connection: T): void {
    const key = portsKey(connection.local.port, connection.remote.port);
    const there = this.#byPorts.get(key);
    if (there === undefined) this.#byPorts.set(key, connection);
    else this.#byPorts.set(key, [...(Array.isArray(there) ? there : [there]), connection]);
    this.#count += 1;
  }

  remove(connection: T): void {
    if (this.#last === connection) this.#last = undefined;
    const key = portsKey(connection.local.port, connection.remote.port);
    const there = this.#byPorts.get(key);
    if (there === connection) this.#byPorts.delete(key);
    else if (Array.isArray(there) && there.includes(connection)) {
      const left = there.filter((each) => each !== connection);
      const [only] = left;
      if (left.length === 1 && only !== undefined) this.#byPorts.set(key, only);
      else this.#byPorts.set(key, left);
    } else return;
    this.#count -= 1;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (const each of this.#byPorts.values()) {
      if (Array.isArray(each)) yield* each;
      else yield each;
    }
  }
}

const isOf = ({ local, remote }: Paired, localIp: string, remoteIp: string): boolean =>
  local.ip === localIp && remote.ip === remoteIp;
