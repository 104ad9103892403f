/**
 * `lastack stack-endpoint`: our own TCP as a host beside this one, for who drives it over stdin and stdout. Programs start it, and labs
 * wait for it: it stands apart from the other commands, for it needs little of what they load.
 */
import { isIP } from 'node:net';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { DeviceError, Unsupported } from '../endpoint/index.js';
import { LabUnavailable, serveOwnStack } from '../lab/own-box/index.js';
import { messageOf } from '../text/index.js';
import { EXIT } from './exit.js';
import { onInterrupt } from './interrupt.js';

interface Options {
  readonly ip: readonly string[];
  readonly set?: Readonly<Record<string, string>>;
}

/** The exit code. What it says on stdout is no text; what people are to read goes to stderr. */
export async function answerStackEndpoint(args: readonly string[]): Promise<number> {
  const command = new Command('lastack stack-endpoint')
    .description(
      'our own TCP as a host beside this one, driven by docs/agent-protocol.md over stdin and stdout until stdin ends',
    )
    .requiredOption(
      '--ip <address>',
      'a free address of a network that is here; may be given again',
      addAddress,
    )
    .option('--set <setting>', 'a setting by its name in Linux, such as ipv4.tcp_sack=0', addSetting)
    .exitOverride()
    .action(serve);
  try {
    await command.parseAsync(args, { from: 'user' });
    return EXIT.asExpected;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.asExpected : EXIT.usage;
    const isOfTheMachine = error instanceof LabUnavailable || error instanceof DeviceError;
    if (!isOfTheMachine && !(error instanceof Unsupported)) throw error;
    process.stderr.write(`lastack: ${messageOf(error)}\n`);
    return isOfTheMachine ? EXIT.environment : EXIT.usage;
  }
}

async function serve({ ip, set: settings = {} }: Options): Promise<void> {
  const [first, ...more] = ip;
  if (first === undefined) return;
  const ending = new AbortController();
  onInterrupt(() => ending.abort());
  const { stdin: input, stdout: output } = process;
  await serveOwnStack({ ips: [first, ...more], settings, input, output, signal: ending.signal });
}

function addAddress(text: string, sofar: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an address, such as 172.17.0.200.');
  return [...sofar, text];
}

function addSetting(
  text: string,
  sofar: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('It must be a name and a value, such as ipv4.tcp_sack=0.');
  return { ...sofar, [name.replace(/^net\./, '')]: value };
}
