/** Serves the own TCP, in a place of its own in this network namespace, over two streams, until the input ends. */
import { release } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { AgentServer, OwnDeviceHost, StreamChannel } from '../../endpoint/index.js';
import type { Settings } from '../lab.js';
import { OwnBox } from './own-box.js';

export interface ServeOwnStackOptions {
  readonly ips: readonly [string, ...string[]];
  readonly settings?: Settings;
  readonly input: Readable;
  readonly output: Writable;
  /** Ends it too. */
  readonly signal?: AbortSignal;
}

/** Why it has ended. Rejects with `LabUnavailable`, `DeviceError` or `Unsupported` where it cannot begin. */
export async function serveOwnStack({
  ips,
  settings = {},
  input,
  output,
  signal,
}: ServeOwnStackOptions): Promise<string> {
  using box = await OwnBox.open(ips);
  const { link, gateways } = box;
  using host = new OwnDeviceHost({ link, gateways, ips, settings });
  const { stack, clock } = host;
  const channel = new StreamChannel({ input, output });
  const system = `our own TCP beside Linux ${release()}, at ${ips.join(' and ')}`;
  const reason = await new Promise<string>((resolve) => {
    new AgentServer({ stack, channel, clock, system, ended: resolve });
    signal?.addEventListener('abort', () => channel.end('it was told to end'));
  });
  // What the connections were told at their end leaves in this turn.
  await new Promise((resolve) => setImmediate(resolve));
  return reason;
}
