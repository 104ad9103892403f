/** Ports for who asks for none. */
import { type PortRange, StackError } from './stack-options.js';

const DEFAULT_PORTS: PortRange = { from: 32_768, to: 60_999 };

/** RFC 6056 section 3.3.1: a random one, and from there on the next that is free. */
export function freePort(
  randomBytes: (octets: number) => Uint8Array,
  isFree: (port: number) => boolean,
  { from, to }: PortRange = DEFAULT_PORTS,
): number {
  const count = to - from + 1;
  const [a = 0, b = 0, c = 0, d = 0] = randomBytes(4);
  const start = (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % count;
  for (let i = 0; i < count; i += 1) {
    const port = from + ((start + i) % count);
    if (isFree(port)) return port;
  }
  throw new StackError('EADDRINUSE', `all ports from ${from} to ${to} are in use`);
}
