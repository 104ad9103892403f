/** From a command line to a command: checks the names, finds a way to a lab, and calls what is to be done. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allScenarios } from '../../suites/index.js';
import { type Fault, parsePlan } from '../fault/index.js';
import { openNetnsLab } from '../lab/index.js';
import { terminalOf } from '../report/index.js';
import { type Filter, matchesName, suiteOf } from '../run/index.js';
import { didYouMean, messageOf } from '../text/index.js';
import { doctor } from './doctor.js';
import { enterNetns } from './enter-netns.js';
import { EXIT, UsageError } from './exit.js';
import { kernelBuild, kernelList, kernelRemove } from './kernel.js';
import { list } from './list.js';
import type { CommandLine, Options } from './program.js';
import { repro, scenarioNamed } from './repro.js';
import { run } from './run.js';
import { checkEndpoint, checkLab } from './stacks.js';

export async function act({ command, names, options }: CommandLine): Promise<number> {
  const terminal = terminalOf(process.stdout);
  switch (command) {
    case 'doctor':
      return doctor(terminal);
    case 'kernel build':
      return kernelBuild(names, options);
    case 'kernel list':
      return kernelList();
    case 'kernel remove':
      return kernelRemove(names);
    case 'list':
      process.stdout.write(`${list(filterOf(names, options)).join('\n')}\n`);
      return EXIT.asExpected;
    case 'repro': {
      checkWhere(options);
      const [name = ''] = names;
      const scenario = scenarioNamed(name);
      const faults = [...(options.fault ?? []), ...planFaults(options.plan)];
      const elsewhere = await enterNetns();
      if (elsewhere !== undefined) return elsewhere;
      return repro(
        {
          scenario,
          faults,
          outDir: options.out ?? join('reports', scenario.id.replaceAll('/', '-')),
          options: {
            ipVersion: options.ip ?? 4,
            openLab: openNetnsLab,
            untilClosed: options.untilClosed ?? false,
            eyes: options.eyes ?? 'auto',
          },
        },
        terminal,
      );
    }
    case 'run': {
      checkWhere(options);
      const filter = filterOf(names, options);
      const elsewhere = await enterNetns();
      if (elsewhere !== undefined) return elsewhere;
      const session = {
        openLab: openNetnsLab,
        filter,
        eyes: options.eyes ?? 'auto',
        ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      } as const;
      return run({ session, outDir: options.out ?? join('reports', stamp()) }, terminal);
    }
  }
}

function checkWhere(options: Options): void {
  checkLab(options.lab);
  checkEndpoint(options.endpoint);
}

function filterOf(names: readonly string[], options: Options): Filter {
  const known = [...new Set(allScenarios.flatMap((scenario) => [suiteOf(scenario), scenario.id]))];
  for (const name of names)
    if (!allScenarios.some((scenario) => matchesName(scenario, name)))
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
