/** `lastack repro NAME --target web:80`: plays a scenario against a program that runs already in a container; a client of ours is its client. */
import type { Fault } from '../fault/index.js';
import {
  applicationLabs,
  ContainerApplication,
  closeSharedEngine,
  type LabOptions,
  type OtherSetting,
  refusedByApplications,
  sharedEngine,
} from '../lab/index.js';
import type { Terminal } from '../report/index.js';
import { dockerPlace, type IpVersion, type Scenario, unplayable, wirePlace } from '../run/index.js';
import { EXIT, UsageError } from './exit.js';
import { repro } from './repro.js';
import { targetAndPort } from './target-name.js';
import { containerNamed, pausedSentence } from './target-named.js';
import { takenOf } from './target-outcome.js';

export interface TargetCommand {
  readonly scenario: Scenario;
  readonly faults: readonly Fault[];
  readonly outDir: string;
  /** `web:80`. */
  readonly target: string;
  /** What the client says, once on each connection. */
  readonly request?: Uint8Array;
  /** What the client is; default: the kernel under our own image. */
  readonly client?: string;
  /** Where the wire runs; default: `auto`. */
  readonly wire?: string;
  readonly ipVersion: IpVersion;
  readonly untilClosed: boolean;
  readonly eyes: NonNullable<LabOptions['eyes']>;
}

export async function reproTarget(command: TargetCommand, terminal: Terminal): Promise<number> {
  const { scenario, ipVersion, target } = command;
  const refusal = unplayable(scenario) ?? refusedByApplications(scenario);
  if (refusal !== undefined) throw new UsageError(`${scenario.id} ${refusal}`);
  const { name, port } = targetAndPort(target);
  if (name.kind === 'process')
    throw new UsageError(
      `--target ${target}: a scenario is played against a container or a compose service, whose network a client can join ("container:${name.pid}:${port}" for one that is called so); of a process, "lastack attach ${name.pid} --port ${port}" shows the connections`,
    );
  const client = dockerPlace(command.client ?? 'linux');
  if (client.stack !== 'linux')
    throw new UsageError(
      `--client ${client.stack}: the client of a target is a kernel, under our own image or another (image:NAME)`,
    );
  const wire = wirePlace(command.wire ?? 'auto');
  try {
    const engine = await sharedEngine();
    const container = await containerNamed(engine, name);
    if (container.isPaused) throw new UsageError(pausedSentence(container));
    using application = new ContainerApplication({ engine, container, port, ipVersion });
    const { request } = command;
    const openLab = applicationLabs({
      engine,
      application,
      client,
      wire,
      ...(request === undefined ? {} : { request }),
    });
    process.stdout.write(`${headLines(command, application).join('\n')}\n\n`);
    return await play(command, { application, openLab, terminal });
  } finally {
    await closeSharedEngine();
  }
}

interface Playing {
  readonly application: ContainerApplication;
  readonly openLab: ReturnType<typeof applicationLabs>;
  readonly terminal: Terminal;
}

async function play(command: TargetCommand, { application, openLab, terminal }: Playing): Promise<number> {
  const { scenario, faults, outDir, ipVersion, untilClosed, eyes } = command;
  const { settings: { client } = {}, ...story } = scenario;
  const code = await repro(
    {
      scenario: { ...story, ...(client === undefined ? {} : { settings: { client } }) },
      faults,
      outDir,
      options: { ipVersion, openLab, untilClosed, eyes },
      taken: takenOf,
    },
    terminal,
  );
  if (application.isAlive()) return code;
  process.stderr.write(
    `lastack: ${application.text} has ended while a story was played with it: what was seen until then is above\n`,
  );
  return EXIT.environment;
}

function headLines({ scenario, request }: TargetCommand, application: ContainerApplication) {
  const { text, network, address } = application;
  const says = request === undefined ? 'nothing' : `${request.length} octets`;
  const others = application.otherSettings(scenario.settings?.server ?? {});
  return [
    `against ${text}: port ${address.port} at ${address.ip}, network ${network.name}; the client says ${says}`,
    ...others.map(settingRemark),
  ];
}

const settingRemark = ({ name, is, wanted }: OtherSetting): string =>
  is === undefined
    ? `remark: the kernel of the server has no net.${name}, which the scenario sets to ${wanted}`
    : `remark: net.${name} of the server stays ${is}; the scenario would set it to ${wanted}`;
