/** `lastack wire`: the wire as a process of its own, for a harness to talk to over the standard streams. No person calls it. */
import { parseArgs } from 'node:util';
import { AttachRefused, serveWire } from '../lab/index.js';
import { messageOf } from '../text/index.js';
import { EXIT } from './exit.js';

/** The exit code. `--clock-shift NS` is for tests: it has itself for another machine, whose clock is ahead by that. */
export async function wire(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({ args: [...args], options: { 'clock-shift': { type: 'string' } } });
    const shift = values['clock-shift'];
    await serveWire({
      input: process.stdin,
      output: process.stdout,
      ...(shift === undefined ? {} : { clockShiftNs: BigInt(shift) }),
    });
    return EXIT.asExpected;
  } catch (error) {
    process.stderr.write(`lastack: ${messageOf(error)}\n`);
    return error instanceof AttachRefused ? EXIT.environment : EXIT.usage;
  }
}
