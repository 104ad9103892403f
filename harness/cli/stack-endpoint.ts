/** `lastack stack-endpoint`: our own TCP beside this host, for who drives it over stdin and stdout. */
import { DeviceError, Unsupported } from '../endpoint/index.js';
import { serveOwnStack } from '../lab/index.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import type { Options } from './program.js';

export async function stackEndpoint({ addresses = [], settings = {} }: Options): Promise<number> {
  const [first, ...more] = addresses;
  if (first === undefined) throw new UsageError('--ip: which address shall it have?');
  const ending = new AbortController();
  onInterrupt(() => ending.abort());
  try {
    const { stdin: input, stdout: output } = process;
    await serveOwnStack({ ips: [first, ...more], settings, input, output, signal: ending.signal });
    return EXIT.asExpected;
  } catch (error) {
    if (error instanceof DeviceError) throw new EnvironmentError(error.message);
    if (error instanceof Unsupported) throw new UsageError(error.message);
    throw error;
  }
}
