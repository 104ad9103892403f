/** `lastack run toxiproxy` and `lastack repro toxiproxy/…`: scenarios with Toxiproxy in the middle, in the netns or the docker lab. */
import { join } from 'node:path';
import { allScenarios } from '../../suites/index.js';
import { toxiproxyScenarios } from '../../suites/toxiproxy/index.js';
import { closeSharedEngine } from '../lab/index.js';
import {
  ladder,
  type Terminal,
  tally,
  verdictLines,
  viaEntries,
  viaProgressLine,
  wentAsTold,
  writeRunFiles,
} from '../report/index.js';
import {
  matchesName,
  runViaScenario,
  Turns,
  type ViaRun,
  type ViaRunOptions,
  type ViaScenario,
  viaPlace,
} from '../run/index.js';
import type { LegName } from '../trace/index.js';
import { enterNetns } from './enter-netns.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import type { Options } from './program.js';

/** Each has a server and three namespaces, and waits most of the time. */
const AT_ONCE = 4;
const LEGS: readonly LegName[] = ['client', 'server'];
const LEG_TEXT: Readonly<Record<LegName, string>> = {
  client: 'client and proxy',
  server: 'proxy and server',
};

/** The scenarios of this kind that names mean. Throws when others are meant too, or what is asked for besides cannot be had. */
export function viaNamed(names: readonly string[], options: Options): readonly ViaScenario[] {
  const found = toxiproxyScenarios.filter((scenario) => names.some((name) => matchesName(scenario, name)));
  const isViaName = (name: string) => toxiproxyScenarios.some((scenario) => matchesName(scenario, name));
  const others = names.filter(
    (name) => !isViaName(name) || allScenarios.some((each) => matchesName(each, name)),
  );
  if (found.length === 0 || others.length === names.length) return [];
  if (others.length > 0)
    throw new UsageError(
      `the scenarios with Toxiproxy are run by themselves: leave out ${others.join(', ')}`,
    );
  const { lab, fault = [], plan, requirement, tag, endpoint = [] } = options;
  if (viaPlace(options) === undefined)
    throw new UsageError(
      `Toxiproxy runs in real time, and not in the ${lab} lab: leave out --lab, or take --lab docker`,
    );
  if (endpoint.some((name) => !name.startsWith('linux')))
    throw new UsageError('Toxiproxy stands between the kernels of its lab: leave out --endpoint');
  if (fault.length > 0 || plan !== undefined)
    throw new UsageError(
      'faults of these scenarios are of one leg: write a test with recordVia (docs/toxiproxy.md)',
    );
  if (requirement !== undefined || tag !== undefined)
    throw new UsageError('the scenarios with Toxiproxy have no requirements and no tags: name them instead');
  return found;
}

/** The only one of them; undefined when there is none. */
export function oneOf(found: readonly ViaScenario[], name: string): ViaScenario | undefined {
  if (found.length < 2) return found[0];
  throw new UsageError(
    `"${name}" names ${found.length} scenarios, name one: ${found.map(({ id }) => id).join(', ')}`,
  );
}

/** Does the work where such labs can be made, which may be another process; then the exit code is that one's. */
async function atViaPlace(
  options: Options,
  work: (setup: ViaRunOptions) => Promise<number>,
): Promise<number> {
  const place = viaPlace(options);
  if (place === undefined) throw new TypeError(`viaNamed refuses the ${options.lab} lab`);
  const elsewhere = place.lab === 'netns' ? await enterNetns() : undefined;
  if (elsewhere !== undefined) return elsewhere;
  try {
    await place.ready();
    return await work({ ipVersion: options.ip ?? 4, eyes: options.eyes ?? 'auto', openLab: place.openLab });
  } finally {
    await closeSharedEngine();
  }
}

export const runVia = (
  scenarios: readonly ViaScenario[],
  options: Options,
  terminal: Terminal,
): Promise<number> => atViaPlace(options, (setup) => runEach(scenarios, { ...options, setup }, terminal));

async function runEach(
  scenarios: readonly ViaScenario[],
  { out = 'reports', jobs = AT_ONCE, setup }: Options & { readonly setup: ViaRunOptions },
  terminal: Terminal,
): Promise<number> {
  const turns = new Turns(jobs);
  const runs = await Promise.all(
    scenarios.map(async (scenario) => {
      const ends = await turns.take();
      try {
        const run = await runViaScenario(scenario, setup);
        await writeLegs(out, run);
        print([viaProgressLine(run, terminal)]);
        return run;
      } finally {
        ends();
      }
    }),
  );
  const bad = runs.filter((run) => !wentAsTold(run));
  print(bad.flatMap((run) => ['', `${run.scenario.id}: ${run.scenario.title}`, ...findings(run, terminal)]));
  print([
    '',
    `${runs.length - bad.length} of ${runs.length} as the table says (docs/toxiproxy.md)`,
    `traces and captures: ${out}`,
  ]);
  return bad.length === 0 ? EXIT.asExpected : EXIT.verdictFailed;
}

export const reproVia = (scenario: ViaScenario, options: Options, terminal: Terminal): Promise<number> =>
  atViaPlace(options, (setup) => showVia(scenario, { ...options, setup }, terminal));

export interface ViaShow extends Pick<Options, 'out'> {
  readonly setup: ViaRunOptions;
}

/** Plays one and shows it: both ladders, the verdicts, and where the files are. The exit code. */
export async function showVia(
  scenario: ViaScenario,
  { out = join('reports', scenario.id.replaceAll('/', '-')), setup }: ViaShow,
  terminal: Terminal,
): Promise<number> {
  const run = await runViaScenario(scenario, setup);
  const { legs } = run;
  if (legs === undefined) throw new EnvironmentError(reasonOf(run));
  print([`${scenario.id}: ${scenario.title}`]);
  for (const leg of LEGS) print(['', `${LEG_TEXT[leg]}:`, '', ladder(legs[leg], terminal)]);
  print([...findings(run, terminal), '', `verdict: ${run.verdict} (${tally(viaEntries(run))})`]);
  const files = await writeLegs(out, run);
  print(files.map((file) => `capture:  ${file}`));
  return wentAsTold(run) ? EXIT.asExpected : EXIT.verdictFailed;
}

const reasonOf = ({ outcome }: ViaRun): string =>
  outcome.kind === 'played' ? 'no trace was recorded' : outcome.reason;

const findings = (run: ViaRun, terminal: Terminal): readonly string[] => [
  ...(run.outcome.kind === 'played' ? [] : [`  ${run.outcome.kind}: ${run.outcome.reason}`]),
  ...verdictLines(viaEntries(run), terminal),
  ...run.broken.map((line) => `  ${line}`),
];

/** The traces and captures of both legs; where the captures are. */
async function writeLegs(out: string, run: ViaRun): Promise<readonly string[]> {
  const { legs } = run;
  if (legs === undefined) return [];
  const files = await Promise.all(
    LEGS.map((leg) => writeRunFiles(out, { trace: legs[leg], verdicts: viaEntries(run) })),
  );
  return files.map(({ pcapng }) => pcapng);
}

const print = (lines: readonly string[]): void => {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
};
