/** The commands and their options; what each does is in a file of its own. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { durationMs } from '../clock/index.js';
import { type Fault, type Match, parseFault, parseMatch } from '../fault/index.js';
import type { LabOptions } from '../lab/index.js';
import type { IpVersion } from '../run/index.js';
import { requirement } from '../spec/index.js';
import { messageOf, octetsOf } from '../text/index.js';
import { asToxic, type Toxic } from '../toxiproxy/index.js';
import { CHAINS, type Chain, DIALECTS, type Dialect, type RulePlace } from '../wire/index.js';

/** What the options of all commands come to, checked. */
export interface CommandLine {
  readonly command:
    | 'repro'
    | 'run'
    | 'attach'
    | 'compose'
    | 'clean'
    | 'list'
    | 'rules'
    | 'doctor'
    | 'kernel build'
    | 'kernel list'
    | 'kernel remove'
    | 'images build'
    | 'images list'
    | 'images remove';
  readonly names: readonly string[];
  readonly options: Options;
}

export interface Options {
  readonly requirement?: readonly string[];
  readonly tag?: readonly string[];
  readonly ip?: IpVersion;
  /** `linux` where there is none. */
  readonly endpoint?: readonly string[];
  readonly client?: string;
  readonly server?: string;
  readonly lab: string;
  readonly wire?: string;
  readonly clientEngine?: string;
  readonly serverEngine?: string;
  readonly network?: string;
  readonly eyes?: NonNullable<LabOptions['eyes']>;
  readonly jobs?: number;
  readonly out?: string;
  readonly fault?: readonly Fault[];
  readonly plan?: string;
  readonly untilClosed?: boolean;
  /** A container or a compose service, and the port of its server. */
  readonly target?: string;
  readonly send?: Uint8Array;
  readonly project?: string;
  readonly toxic?: readonly Toxic[];
  readonly source?: string;
  readonly force?: boolean;
  readonly keep?: boolean;
  readonly as?: Dialect;
  readonly side?: RulePlace['side'];
  readonly port?: number;
  readonly chain?: Chain;
  readonly interface?: string;
  readonly queue?: number;
  readonly apply?: boolean;
  readonly pcap?: string;
  readonly forMs?: number;
  readonly until?: Match;
}

const NAME = 'lastack';

export function program(version: string, act: (line: CommandLine) => Promise<void>): Command {
  const root = new Command(NAME)
    .description(
      'Loses the segments you name between two real TCP endpoints, and judges what they make of it.',
    )
    .version(version)
    // Inherited by all commands made from here on: the caller decides how to end.
    .exitOverride()
    .showHelpAfterError(`("${NAME} --help" shows the commands)`)
    .enablePositionalOptions();
  const acting: Acting =
    (command) =>
    (names, options): Promise<void> =>
      act({ command, names: typeof names === 'string' ? [names] : (names ?? []), options });
  where(root.command('repro'))
    .description('play one scenario and show it: ladder, verdicts, files')
    .argument('<name>', 'a scenario, such as lost-final-ack ("list" shows all)')
    .option('--fault <line>', 'add a fault, such as "drop final-ack once"; may be given again', addFault)
    .option('--plan <file>', 'add the faults of a YAML or JSON file')
    .option('--target <name:port>', 'the server: a container or a compose service that runs, such as web:80')
    .option(
      '--send <text>',
      'what the client says to it, such as "GET / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n"',
      octets,
    )
    .option('--until-closed', 'stay until the last timer (TIME-WAIT as a rule) has ended')
    .action(acting('repro'));
  filters(where(root.command('run')))
    .description('play all scenarios, or those named, side by side')
    .argument('[names...]', 'suites (close) or scenarios (close/lost-final-ack), * for any text')
    .option('--jobs <n>', 'scenarios at once', positive)
    .action(acting('run'));
  attaching(root.command('attach'), acting);
  composing(root.command('compose')).action(acting('compose'));
  filters(root.command('list'))
    .description('show the scenarios')
    .argument('[names...]', 'suites or scenarios')
    .action(acting('list'));
  ruleOptions(root.command('rules')).action((options: Options) => acting('rules')(undefined, options));
  kernels(root.command('kernel'), acting);
  images(root.command('images'), acting);
  root
    .command('clean')
    .description(
      'take away what a lastack that was killed has left: rules in network namespaces, and what it made in the Docker engine',
    )
    .action((options: Options) => act({ command: 'clean', names: [], options }));
  root
    .command('doctor')
    .description('say what this machine can do, and what to do about what it cannot')
    .action((options: Options) => act({ command: 'doctor', names: [], options }));
  return root;
}

type Acting = (
  command: CommandLine['command'],
) => (names: readonly string[] | string | undefined, options: Options) => Promise<void>;

function ruleOptions(command: Command): Command {
  return command
    .description('show a plan of faults as rules of iptables, nft or tc, or apply them here')
    .option('--fault <line>', 'a fault, such as "drop client.syn once"; may be given again', addFault)
    .option('--plan <file>', 'the faults of a YAML or JSON file')
    .addOption(new Option('--as <tool>', 'what the rules are for').choices(DIALECTS).default('iptables'))
    .option('--port <port>', "the server's port", port)
    .option('--client <address>', "the client's address")
    .option('--server <address>', "the server's address")
    .addOption(
      new Option(
        '--side <side>',
        'the host that has the rules (default: the end that receives what is picked)',
      ).choices(['client', 'server', 'between']),
    )
    .addOption(new Option('--chain <hook>', 'for iptables and nft: all at this hook').choices(CHAINS))
    .option('--interface <name>', 'for tc: the interface')
    .option('--ip <version>', 'only 4 or 6', ipVersion)
    .option('--queue <number>', 'instead of faults: hand all segments to this queue (NFQUEUE)', queueNumber)
    .option('--apply', 'apply them in this network namespace until Ctrl-C, and show what they count');
}

function attaching(command: Command, acting: Acting): void {
  command
    .description('put faults into the connections of a process that runs already, and show them as they go')
    .argument('<target>', 'a process id, or the name of a container or of a compose service')
    .requiredOption('--port <port>', "the server's port, whichever end the process is", port)
    .option('--fault <line>', 'a fault, such as "drop final-ack once"; may be given again', addFault)
    .option('--plan <file>', 'the faults of a YAML or JSON file')
    .option('--for <time>', 'how long, such as 10s (default: until Ctrl-C)', duration)
    .option('--until <match>', 'until a segment matches, such as "final-ack"', match)
    .option('--pcap <file>', 'write a capture')
    .option('--wire <place>', 'of a container: from here, by a sidecar, or auto (here where it may)')
    .option('--eyes <eyes>', 'what watches the states: auto, tracepoint or sock_diag', eyes)
    .action((pid: string, { for: forMs, ...options }: Options & { readonly for?: number }) =>
      acting('attach')(pid, forMs === undefined ? options : { ...options, forMs }),
    );
}

function composing(command: Command): Command {
  return command
    .description('play scenarios between the services of a compose project, which compose has started')
    .argument('[names...]', 'scenarios (default: lost-final-ack)')
    .option('--project <name>', 'the project (default: that of the service which this runs in)')
    .option('--port <port>', "the server's port (default: the one that its image exposes)", port)
    .option(
      '--send <text>',
      'what the client says to it, such as "GET / HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n"',
      octets,
    )
    .option('--fault <line>', 'add a fault, such as "drop final-ack once"; may be given again', addFault)
    .option('--plan <file>', 'add the faults of a YAML or JSON file')
    .option(
      '--toxic <line>',
      'of the Toxiproxy service, such as "latency downstream 100ms" (the default); may be given again',
      addToxic,
    )
    .option('--ip <version>', '4 (default) or 6', ipVersion)
    .option('--eyes <eyes>', 'what watches the states: auto, tracepoint or sock_diag', eyes)
    .option('--out <folder>', 'where the files go (default: reports/compose)');
}

function kernels(command: Command, acting: Acting): void {
  command.description(
    'build Linux kernels to test (User-Mode Linux), show those that are there, remove them',
  );
  command
    .command('build')
    .description('build kernels and put them into the cache')
    .argument('[versions...]', 'such as 6.12, 6.12.57 or 7.x (the newest 7)')
    .option('--source <path>', 'a tree or a tarball of Linux, instead of the source that is found')
    .option('--force', 'build also what is there and up to date')
    .option('--keep', 'leave the folder of the build where it is')
    .action(acting('kernel build'));
  command
    .command('list')
    .description('show the kernels of the cache, and what can be built')
    .action((options: Options) => acting('kernel list')(undefined, options));
  command
    .command('remove')
    .description('remove kernels from the cache')
    .argument('<versions...>', 'such as 6.12 or 7.x')
    .action(acting('kernel remove'));
}

function images(command: Command, acting: Acting): void {
  command.description('build the images for the Docker engine, show those that are there, remove them');
  const names = 'base, endpoint, wire, stack, tools or toxiproxy (default: all)';
  command
    .command('build')
    .description('build images, and what they stand on')
    .argument('[names...]', names)
    .option('--force', 'build also what is there and up to date')
    .action(acting('images build'));
  command
    .command('list')
    .description('show the images, and whether they are up to date')
    .action((options: Options) => acting('images list')(undefined, options));
  command
    .command('remove')
    .description('remove images, all versions of them')
    .argument('[names...]', names)
    .action(acting('images remove'));
}

function where(command: Command): Command {
  return command
    .option('--ip <version>', 'only 4 or 6', ipVersion)
    .option(
      '--endpoint <stack>',
      'the stack under test: linux (default), or with a version linux@6.12, or stack, our own TCP; for run may be given again',
      addText,
    )
    .option('--client <stack>', 'another stack as the client')
    .option('--server <stack>', 'another stack as the server')
    .option(
      '--lab <lab>',
      'where it runs: netns (this kernel, real time), virtual, or docker (containers)',
      'netns',
    )
    .option(
      '--wire <place>',
      'between containers, where the wire runs: here, in a sidecar, or auto (here where it may)',
    )
    .option('--client-engine <host>', 'the Docker engine of the client, as in DOCKER_HOST')
    .option('--server-engine <host>', 'the Docker engine of the server')
    .option('--network <name>', 'of two engines: the network that both have, and that reaches')
    .option('--eyes <eyes>', 'what watches the states: auto, tracepoint or sock_diag', eyes)
    .option('--out <folder>', 'where the files go');
}

function filters(command: Command): Command {
  return command
    .option(
      '--requirement <id>',
      'only scenarios tied to it, such as MUST-13; may be given again',
      addRequirement,
    )
    .option('--tag <tag>', 'only scenarios with it; may be given again', addText);
}

const addText = (text: string, sofar: readonly string[] = []): readonly string[] => [...sofar, text];

function addRequirement(id: string, sofar: readonly string[] = []): readonly string[] {
  return [...sofar, valid(() => requirement(id)).id];
}

function addFault(line: string, sofar: readonly Fault[] = []): readonly Fault[] {
  return [...sofar, valid(() => parseFault(line))];
}

function addToxic(line: string, sofar: readonly Toxic[] = []): readonly Toxic[] {
  return [...sofar, valid(() => asToxic(line))];
}

/** A value that a parser refuses is an option given wrongly: its sentence goes to the person. */
function valid<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}

function queueNumber(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 0xffff)
    throw new InvalidArgumentError('It must be a number from 0 to 65535.');
  return number;
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError('It must be a port, a whole number from 1 to 65535.');
}

const duration = (text: string): number => valid(() => durationMs(text));

const octets = (text: string): Uint8Array => valid(() => octetsOf(text));

const match = (text: string): Match => valid(() => parseMatch(text));

function ipVersion(text: string): IpVersion {
  if (text === '4') return 4;
  if (text === '6') return 6;
  throw new InvalidArgumentError('It must be 4 or 6.');
}

function eyes(text: string): NonNullable<LabOptions['eyes']> {
  if (text === 'auto' || text === 'tracepoint' || text === 'sock_diag') return text;
  throw new InvalidArgumentError('It must be auto, tracepoint or sock_diag.');
}
