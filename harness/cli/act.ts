/** From a command line to a command: checks the names, finds a way to a lab, and calls what is to be done. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allScenarios } from '../../suites/index.js';
import { toxiproxyScenarios } from '../../suites/toxiproxy/index.js';
import { type Fault, parsePlan } from '../fault/index.js';
import { closeSharedEngine, sharedEngine, World } from '../lab/index.js';
import { type Terminal, terminalOf } from '../report/index.js';
import {
  clockOf,
  type Filter,
  matchesName,
  type Scenario,
  ScenarioPool,
  suiteOf,
  unplayable,
  type Where,
  whereOf,
  wirePlace,
} from '../run/index.js';
import { didYouMean, messageOf } from '../text/index.js';
import { attachTo } from './attach.js';
import { clean } from './clean.js';
import { compose } from './compose.js';
import { doctor } from './doctor.js';
import { enterNetns } from './enter-netns.js';
import { EXIT, UsageError } from './exit.js';
import { imagesBuild, imagesList, imagesRemove } from './images.js';
import { kernelBuild, kernelList, kernelRemove } from './kernel.js';
import { list } from './list.js';
import type { CommandLine, Options } from './program.js';
import { repro, scenarioNamed } from './repro.js';
import { reproTarget } from './repro-target.js';
import { rules } from './rules.js';
import { run } from './run.js';
import { runEach } from './run-each.js';
import { oneOf, reproVia, runVia, viaNamed } from './via.js';

export async function act({ command, names, options }: CommandLine): Promise<number> {
  const terminal = terminalOf(process.stdout);
  switch (command) {
    case 'doctor':
      return doctor(terminal);
    case 'attach':
      return actOnAttach(names, options, terminal);
    case 'compose':
      return actOnCompose(names, options, terminal);
    case 'clean':
      return clean();
    case 'kernel build':
      return kernelBuild(names, options);
    case 'kernel list':
      return kernelList();
    case 'kernel remove':
      return kernelRemove(names);
    case 'images build':
      return imagesBuild(names, options);
    case 'images list':
      return imagesList();
    case 'images remove':
      return imagesRemove(names);
    case 'list':
      process.stdout.write(`${list(filterOf(names, options)).join('\n')}\n`);
      return EXIT.asExpected;
    case 'rules':
      return actOnRules(options);
    case 'repro':
      return actOnRepro(names, options, terminal);
    case 'run':
      return actOnRun(names, options, terminal);
  }
}

function actOnRules(options: Options): Promise<number> {
  const {
    as = 'iptables',
    fault = [],
    plan,
    side,
    port,
    client,
    server,
    chain,
    interface: device,
    ip,
  } = options;
  return rules({
    faults: [...fault, ...planFaults(plan)],
    as,
    place: {
      ...(side !== undefined && { side }),
      ...(port !== undefined && { port }),
      ...(client !== undefined && { client }),
      ...(server !== undefined && { server }),
      ...(chain !== undefined && { chain }),
      ...(device !== undefined && { interface: device }),
      ...(ip !== undefined && { ipVersion: ip }),
    },
    isApplied: options.apply ?? false,
    ...(options.queue !== undefined && { queue: options.queue }),
  });
}

async function actOnRepro(
  [name = '']: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<number> {
  if (options.target !== undefined)
    return actOnTarget(name, { ...options, target: options.target }, terminal);
  if (options.send !== undefined)
    throw new UsageError(
      '--send is what the client says to a --target: without one it has nobody to say it to',
    );
  const via = oneOf(viaNamed([name], options), name);
  if (via !== undefined) return reproVia(via, options, terminal);
  const where = placeOf(options);
  const scenario = scenarioNamed(name);
  const refusal = unplayable(scenario, clockOf(where));
  if (refusal !== undefined) throw new UsageError(`${scenario.id} ${refusal}`);
  const faults = faultsOf(options);
  const elsewhere = await enter(where);
  if (elsewhere !== undefined) return elsewhere;
  try {
    return await repro(
      {
        scenario,
        faults,
        outDir: outDirOf(scenario, options),
        options: {
          ipVersion: options.ip ?? 4,
          openLab: where.openLab,
          untilClosed: options.untilClosed ?? false,
          eyes: options.eyes ?? 'auto',
        },
      },
      terminal,
    );
  } finally {
    if (where.lab === 'virtual') World.shared()[Symbol.dispose]();
    if (where.lab === 'docker') await closeSharedEngine();
  }
}

function actOnTarget(
  name: string,
  options: Options & { readonly target: string },
  terminal: Terminal,
): Promise<number> {
  const { target, send, endpoint, server, lab, client, wire } = options;
  if (endpoint !== undefined || server !== undefined || !['netns', 'docker'].includes(lab))
    throw new UsageError(
      'the server is the target, and the client a container beside it: leave out --endpoint, --server and --lab',
    );
  const scenario = scenarioNamed(name);
  return reproTarget(
    {
      scenario,
      faults: faultsOf(options),
      outDir: outDirOf(scenario, options),
      target,
      ...(send === undefined ? {} : { request: send }),
      ...(client === undefined ? {} : { client }),
      ...(wire === undefined ? {} : { wire }),
      ipVersion: options.ip ?? 4,
      untilClosed: options.untilClosed ?? false,
      eyes: options.eyes ?? 'auto',
    },
    terminal,
  );
}

const outDirOf = ({ id }: Scenario, { out }: Options): string =>
  out ?? join('reports', id.replaceAll('/', '-'));

function actOnAttach(
  [target = '']: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<number> {
  const { port = 0, pcap, forMs, until, eyes = 'auto', wire } = options;
  return attachTo(
    {
      target,
      port,
      faults: faultsOf(options),
      eyes,
      ...(pcap === undefined ? {} : { pcap }),
      ...(forMs === undefined ? {} : { forMs }),
      ...(until === undefined ? {} : { until }),
      ...(wire === undefined ? {} : { wire: wirePlace(wire) }),
    },
    terminal,
  );
}

function actOnCompose(names: readonly string[], options: Options, terminal: Terminal): Promise<number> {
  const { project, port, send, toxic, ip = 4, eyes = 'auto', out = join('reports', 'compose') } = options;
  const all = names.length === 0 ? ['lost-final-ack'] : names;
  return compose(
    {
      scenarios: all.map(scenarioNamed),
      faults: faultsOf(options),
      ipVersion: ip,
      eyes,
      outDir: out,
      ...(project === undefined ? {} : { project }),
      ...(port === undefined ? {} : { port }),
      ...(send === undefined ? {} : { request: send }),
      ...(toxic === undefined ? {} : { toxics: toxic }),
    },
    terminal,
  );
}

async function actOnRun(names: readonly string[], options: Options, terminal: Terminal): Promise<number> {
  const { endpoint: endpoints = [], out: outDir = join('reports', stamp()) } = options;
  const via = viaNamed(names, options);
  if (via.length > 0) return runVia(via, { ...options, out: outDir }, terminal);
  if (endpoints.length > 1) {
    // What is wrong is said before anything runs.
    for (const endpoint of endpoints) placeOf({ ...options, endpoint: [endpoint] });
    return runEach({ args: process.argv.slice(2), endpoints, outDir }, terminal);
  }
  const where = placeOf(options);
  const filter = { ...filterOf(names, options), clock: clockOf(where) };
  const elsewhere = await enter(where);
  if (elsewhere !== undefined) return elsewhere;
  const common = { openLab: where.openLab, filter, eyes: options.eyes ?? 'auto' } as const;
  if (where.lab !== 'virtual') {
    const session = { ...common, ...(options.jobs === undefined ? {} : { jobs: options.jobs }) };
    try {
      return await run({ session, outDir }, terminal);
    } finally {
      if (where.lab === 'docker') await closeSharedEngine();
    }
  }
  const { jobs = where.jobs } = options;
  await using pool = new ScenarioPool({
    module: new URL('../../suites/index.js', import.meta.url),
    stacks: where.stacks,
    threads: Math.min(jobs, where.jobs),
  });
  return await run({ session: { ...common, jobs, run: pool.run }, outDir }, terminal);
}

function placeOf({ endpoint = [], ...options }: Options): Where {
  const [name = 'linux', another] = endpoint;
  if (another !== undefined) throw new UsageError('--endpoint: one story is played on one stack: name one');
  return whereOf({ ...options, endpoint: name });
}

/** Where labs of this machine's kernel, or of containers, can be made: the exit code when that is another process. */
async function enter(where: Where): Promise<number | undefined> {
  if (where.lab === 'netns') return enterNetns();
  // That there is no engine is said once, and not of each scenario.
  if (where.lab === 'docker')
    for (const options of where.hosts?.map((host) => ({ host })) ?? [{}]) await sharedEngine(options);
  return undefined;
}

function filterOf(names: readonly string[], options: Options): Filter {
  const all = [...allScenarios, ...toxiproxyScenarios];
  const known = [...new Set(all.flatMap((scenario) => [suiteOf(scenario), scenario.id]))];
  for (const name of names)
    if (!all.some((scenario) => matchesName(scenario, name)))
      throw new UsageError(
        `there is no suite or scenario "${name}"${didYouMean(name, known) || ': "lastack list" shows all'}`,
      );
  return {
    names,
    ...(options.requirement === undefined ? {} : { requirements: options.requirement }),
    ...(options.tag === undefined ? {} : { tags: options.tag }),
    ...(options.ip === undefined ? {} : { ipVersions: [options.ip] }),
  };
}

const faultsOf = ({ fault = [], plan }: Options): readonly Fault[] => [...fault, ...planFaults(plan)];

function planFaults(file: string | undefined): readonly Fault[] {
  if (file === undefined) return [];
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the plan ${file}: ${unreadable(error)}`);
  }
  return parsePlan(text, { file });
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder, name a file in it',
  EACCES: 'you may not read it',
};

function unreadable(error: unknown): string {
  const errno = error instanceof Error && 'code' in error ? String(error.code) : '';
  return UNREADABLE[errno] ?? messageOf(error);
}

/** `run-2026-11-21T13-55-29`: one folder a run, in the order of time. */
const stamp = (): string => `run-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`;
