/**
 * Labs between services that compose has started: the client is an agent, the server one too or a program of the user's, and the wire lies in
 * the hooks of both. One after the other: they share the containers. When they are disposed of, the services run as they did before.
 */
import { RealClock } from '../../../clock/index.js';
import type { Engine } from '../../../docker/index.js';
import { Unsupported } from '../../../endpoint/index.js';
import type { Side } from '../../../fault/index.js';
import { monotonicNs } from '../../../sys/index.js';
import { openPairedWire, type PairedWire } from '../../attached/index.js';
import type { Lab, LabOptions, Settings } from '../../lab.js';
import { checkSettingName } from '../../setting-names.js';
import type { ViaLab, ViaOptions } from '../../via/via-lab.js';
import { refusedByApplications } from '../application-labs.js';
import { Belongings } from '../belongings.js';
import { type ContainerEnd, ContainerStack } from '../container-stack.js';
import { DockerLab } from '../docker-lab.js';
import { openContainersWire } from '../wire-place.js';
import { ComposeServer } from './compose-server.js';
import { openComposeVia } from './compose-via.js';
import { meeting } from './meeting.js';
import { type ComposeRoles, rolesOf } from './roles.js';
import { endsReached } from './wire-reach.js';

export interface ComposeOptions {
  readonly engine: Engine;
  readonly project: string;
  readonly ipVersion: 4 | 6;
  /** Of the server, where that is a program. Default: the one that its container exposes. */
  readonly port?: number;
  /** What clients say to a program, once on each connection; default: nothing. */
  readonly request?: Uint8Array | string;
  /** How long a program may take until it listens, and Toxiproxy until it answers. */
  readonly withinMs?: number;
}

const WITHIN_MS = 30_000;

interface Parts {
  readonly options: ComposeOptions;
  readonly roles: ComposeRoles;
  readonly client: ContainerStack;
  readonly clientIp: string;
  readonly server: ComposeServer;
  readonly made: Belongings;
}

export class ComposeLabs implements AsyncDisposable {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Rejects with `EngineError` or `NoSuchTarget`, in one sentence. */
  static async open(options: ComposeOptions): Promise<ComposeLabs> {
    const { engine, project, ipVersion, withinMs = WITHIN_MS } = options;
    const roles = rolesOf(project, await engine.services(project));
    const [clientIp, ip] = meeting(roles.client, roles.server, ipVersion);
    await using made = new Belongings();
    const client = made.use(
      await ContainerStack.in(await engine.adopt(roles.client.container), { side: 'client', ipVersion }),
    );
    const server = made.use(await ComposeServer.open({ ...options, server: roles.server, ip, withinMs }));
    return new ComposeLabs({ options, roles, client, clientIp, server, made: made.move() });
  }

  /** The server is a program of the user's, which nobody drives. */
  get hasProgram(): boolean {
    return this.#parts.server.isProgram;
  }

  get hasToxiproxy(): boolean {
    return this.#parts.roles.toxiproxy !== undefined;
  }

  /** For people, a line each. */
  get lines(): readonly string[] {
    const { roles, server, clientIp } = this.#parts;
    const { ip, port } = server.address;
    const what = server.isProgram ? `${server.text}, port ${port}` : 'an agent';
    return [
      `client: service "${roles.client.service}" at ${clientIp}, an agent`,
      `server: service "${roles.server.service}" at ${ip}, ${what}`,
      `wire: ${roles.wire === undefined ? 'none, so we start our own' : `service "${roles.wire.service}"`}`,
      `toxiproxy: ${roles.toxiproxy === undefined ? 'none' : `service "${roles.toxiproxy.service}"`}`,
    ];
  }

  /** Rejects with `EngineError`, `AttachRefused` or `Unsupported`. */
  readonly openLab = async (options: LabOptions): Promise<Lab> => {
    const { client, clientIp, server } = this.#parts;
    const refusal = refusedByApplications(options);
    if (refusal !== undefined) throw new Unsupported(`the story ${refusal}`);
    await this.#expectSettings(options.settings ?? {});
    const { ipVersion } = this.#parts.options;
    await using made = new Belongings();
    const clock = new RealClock(monotonicNs());
    const ends = { client: client.as({ side: 'client', ip: clientIp }), server: server.end };
    const addresses = { client: clientIp, server: server.address.ip };
    const wire = await this.#wire({ options, ends, addresses, clock, made });
    const stacks = server.isProgram ? [ends.client] : [ends.client, ends.server];
    const all = made.move();
    const below = new DockerLab({ ipVersion, addresses, stacks, clock, wire, made: all });
    // Nobody at the other end is left with what a story has left open.
    for (const { side } of stacks) all.use(below.endpoint(side));
    return server.in(below);
  };

  async #wire({ options, ends, addresses, clock, made }: Wiring): Promise<PairedWire> {
    const { roles, server, options: ours } = this.#parts;
    const { faults = [], eyes = 'auto' } = options;
    const ports = server.isProgram ? [server.address.port] : [];
    const common = { addresses, ports, faults, eyes, clock };
    if (roles.wire === undefined) {
      const containers = [ends.client, { side: 'server', container: roles.server.container }] as const;
      const { engine } = ours;
      return openContainersWire({ place: 'auto', engine, ends: containers, ...common }, made);
    }
    const paths = endsReached(roles.wire, roles);
    const adopted = made.use(await ours.engine.adopt(roles.wire.container));
    return made.use(
      await openPairedWire({ through: { kind: 'process', ...adopted }, ends: paths, ...common }),
    );
  }

  /** Settings that a story wants of a program's kernel and that are otherwise there: they stay what they are. A remark each. */
  async remarks({ server: wanted = {} }: NonNullable<LabOptions['settings']>): Promise<readonly string[]> {
    if (!this.hasProgram) return [];
    const others = await otherSettings(this.#parts.server.stack, wanted);
    return others.map(
      ({ name, is, value }) =>
        `remark: net.${name} of the server stays ${is}; the scenario would set it to ${value}`,
    );
  }

  /** A container's settings are its own: those that a story wants of an agent's kernel must be there. */
  async #expectSettings(settings: NonNullable<LabOptions['settings']>): Promise<void> {
    const { client, server, roles } = this.#parts;
    const agents = [
      { side: 'client', stack: client, service: roles.client.service },
      { side: 'server', stack: server.stack, service: roles.server.service },
    ] as const;
    for (const { side, stack, service } of this.hasProgram ? agents.slice(0, 1) : agents) {
      const [other] = await otherSettings(stack, settings[side] ?? {});
      if (other !== undefined)
        throw new Unsupported(
          `the story wants net.${other.name} = ${other.value} of its ${side}, and there it is ${other.is}: set it under "sysctls" of the service "${service}"`,
        );
    }
  }

  /** The client, Toxiproxy and the server, both legs observed. Rejects as `openLab` does, and with `ToxiproxyError`. */
  readonly openVia = async (options: ViaOptions): Promise<ViaLab> => {
    const { client, server, roles, options: ours } = this.#parts;
    const { toxiproxy } = roles;
    if (toxiproxy === undefined)
      throw new Unsupported('the project has no Toxiproxy: call a service "toxiproxy", or label one so');
    const { engine, withinMs = WITHIN_MS } = ours;
    return openComposeVia(options, { engine, roles: { ...roles, toxiproxy }, client, server, withinMs });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.made[Symbol.asyncDispose]();
  }
}

interface Wiring {
  readonly options: LabOptions;
  readonly ends: Readonly<Record<Side, ContainerEnd>>;
  readonly addresses: Readonly<Record<Side, string>>;
  readonly clock: RealClock;
  readonly made: Belongings;
}

interface OtherSetting {
  readonly name: string;
  readonly is: string;
  readonly value: string;
}

async function otherSettings(stack: ContainerStack, wanted: Settings): Promise<readonly OtherSetting[]> {
  const all = await Promise.all(
    Object.entries(wanted).map(async ([name, value]) => {
      checkSettingName(name);
      return { name, value: String(value), is: (await stack.setting(name)) ?? 'unknown' };
    }),
  );
  return all.filter(({ is, value }) => is !== value);
}
