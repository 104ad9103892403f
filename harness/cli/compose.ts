/** `lastack compose`: plays stories between the services of a compose project, most often as one of them. */
import { DEFAULT_TOXICS, throughToxiproxy } from '../../suites/compose/index.js';
import { type Engine, EngineError, ownContainerId } from '../docker/index.js';
import type { Fault } from '../fault/index.js';
import {
  ComposeLabs,
  closeSharedEngine,
  type LabOptions,
  refusedByApplications,
  sharedEngine,
} from '../lab/index.js';
import type { Terminal } from '../report/index.js';
import { type IpVersion, type Scenario, unplayable } from '../run/index.js';
import type { Toxic } from '../toxiproxy/index.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import { ReportOwner } from './report-owner.js';
import { repro } from './repro.js';
import { takenOf } from './target-outcome.js';
import { showVia } from './via.js';

export interface ComposeCommand {
  readonly scenarios: readonly Scenario[];
  /** Added to those of the scenarios. */
  readonly faults: readonly Fault[];
  readonly ipVersion: IpVersion;
  readonly eyes: NonNullable<LabOptions['eyes']>;
  readonly outDir: string;
  readonly project?: string;
  readonly port?: number;
  /** What the client says to a program. */
  readonly request?: Uint8Array;
  readonly toxics?: readonly Toxic[];
}

export async function compose(command: ComposeCommand, terminal: Terminal): Promise<number> {
  for (const scenario of command.scenarios) {
    const refusal = unplayable(scenario) ?? refusedByApplications(scenario);
    if (refusal !== undefined) throw new UsageError(`${scenario.id} ${refusal}`);
  }
  const owner = ReportOwner.of(command.outDir);
  try {
    const engine = await reachedEngine();
    const { ipVersion, port, request } = command;
    await using labs = await ComposeLabs.open({
      engine,
      project: command.project ?? (await ownProject(engine)),
      ipVersion,
      ...(port === undefined ? {} : { port }),
      ...(request === undefined ? {} : { request }),
    });
    if (command.toxics !== undefined && !labs.hasToxiproxy)
      throw new UsageError('--toxic is of a Toxiproxy, and the project has none: call a service "toxiproxy"');
    print([...labs.lines, '']);
    return await play(command, labs, terminal);
  } finally {
    await closeSharedEngine();
    owner.give();
  }
}

/** One story after the other, all of them; the worst exit code. */
async function play(command: ComposeCommand, labs: ComposeLabs, terminal: Terminal): Promise<number> {
  const { scenarios, faults, ipVersion, eyes, outDir, request, toxics = DEFAULT_TOXICS } = command;
  const codes: number[] = [];
  for (const scenario of scenarios) {
    const options = { ipVersion, openLab: labs.openLab, eyes };
    print(await labs.remarks(scenario.settings ?? {}));
    const taken = labs.hasProgram ? { taken: takenOf } : {};
    codes.push(await repro({ scenario, faults, outDir, options, ...taken }, terminal));
    print(['']);
  }
  if (labs.hasToxiproxy) {
    const says = labs.hasProgram ? (request ?? '') : 'request';
    const setup = { ipVersion, eyes, openLab: labs.openVia };
    codes.push(await showVia(throughToxiproxy({ toxics, request: says }), { out: outDir, setup }, terminal));
  }
  return Math.max(EXIT.asExpected, ...codes);
}

async function reachedEngine(): Promise<Engine> {
  try {
    return await sharedEngine();
  } catch (error) {
    if (!(error instanceof EngineError) || ownContainerId() === undefined) throw error;
    if (error.kind !== 'away' || process.env.DOCKER_HOST) throw error;
    throw new EnvironmentError(
      'the engine cannot be reached from this container: mount its socket into the service (volumes: "/var/run/docker.sock:/var/run/docker.sock")',
      { cause: error },
    );
  }
}

const PROJECT_LABEL = 'com.docker.compose.project';

/** That of the service which this process is. */
async function ownProject(engine: Engine): Promise<string> {
  const id = ownContainerId();
  const found = id === undefined ? undefined : await engine.find(id, 'container').catch(() => undefined);
  const project = found?.labels[PROJECT_LABEL] ?? process.env.COMPOSE_PROJECT_NAME;
  if (project) return project;
  throw new UsageError('which compose project is meant? Name it (--project), or run this as a service of it');
}

const print = (lines: readonly string[]): void => {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
};
