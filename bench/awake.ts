/**
 * Keeps idle processors from sleeping while it is held, as cyclictest(8) does: what a sleeping one takes to wake is the
 * machine's, and a bare veth, whose two ends run on one processor, never waits for it.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

/** Linux's PM QoS interface: the latency asked for in µs, as long as the file is open. Root's, as a rule. */
const FILE = '/dev/cpu_dma_latency';

/** Undefined where this is not permitted. */
export function keepAwake(): Disposable | undefined {
  let fd: number;
  try {
    fd = openSync(FILE, 'r+');
  } catch {
    return undefined;
  }
  writeSync(fd, new Uint8Array(4));
  return { [Symbol.dispose]: () => closeSync(fd) };
}
