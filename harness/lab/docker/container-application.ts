/** The program of a container that somebody else made, at one port: where a client of ours meets it, and how its kernel is set. */
import { readFileSync } from 'node:fs';
import type { Engine, FoundContainer } from '../../docker/index.js';
import type { Address } from '../../endpoint/index.js';
import type { DiagSocket } from '../../observe/index.js';
import {
  type EnteredTarget,
  listenersAmong,
  listeningText,
  NoSuchTarget,
  socketsIn,
} from '../attached/index.js';
import type { Settings } from '../lab.js';
import { checkSettingName, settingFile } from '../setting-names.js';
import { targetOfContainer } from './container-target.js';

export interface ApplicationOptions {
  readonly engine: Pick<Engine, 'isLocal' | 'text'>;
  readonly container: FoundContainer;
  readonly port: number;
  readonly ipVersion: 4 | 6;
}

/** A setting that is another than was wanted; absent `is`: the kernel has none of that name. */
export interface OtherSetting {
  readonly name: string;
  readonly is: string | undefined;
  readonly wanted: string;
}

export class ContainerApplication implements Disposable {
  readonly container: FoundContainer;
  readonly ipVersion: 4 | 6;
  /** A client of ours joins it. */
  readonly network: { readonly name: string };
  readonly address: Address;
  readonly #target: EnteredTarget;

  /** Throws `NoSuchTarget` or `AttachRefused`, in one sentence. */
  constructor({ engine, container, port, ipVersion }: ApplicationOptions) {
    const { name, ip } = joinable(container, { port, ipVersion });
    this.container = container;
    this.ipVersion = ipVersion;
    this.network = { name };
    this.address = { ip, port };
    this.#target = targetOfContainer(engine, container);
    try {
      this.#expectListener();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** For people: `container web-1 (nginx:1.27, process 1234)`. */
  get text(): string {
    return this.#target.text;
  }

  isAlive(): boolean {
    return this.#target.isAlive();
  }

  #expectListener(): void {
    const { ip, port } = this.address;
    const listeners = listenersAmong(socketsIn(this.#target.namespace));
    const here = listeners.filter((each) => each.port === port);
    if (here.length === 0)
      throw new NoSuchTarget(
        `nothing listens at port ${port} in ${this.text}: ${listeners.length === 0 ? 'nor at any other, has it started?' : `${listeningText(listeners)} there`}`,
      );
    if (!here.some((each) => each.ip === ip || each.ip === '0.0.0.0' || each.ip === '::'))
      throw new NoSuchTarget(
        `port ${port} in ${this.text} listens at ${here.map((each) => each.ip).join(', ')} alone, where no other container reaches it: have it listen at ${this.ipVersion === 4 ? '0.0.0.0' : '::'}`,
      );
  }

  /** Its sockets at the port: those that listen, and those of connections with this client. */
  sockets(clientIp: string): readonly DiagSocket[] {
    return socketsIn(this.#target.namespace).filter(
      ({ state, local, remote }) =>
        local.port === this.address.port && (state === 'LISTEN' || remote.ip === clientIp),
    );
  }

  /** Of settings that a story has for its server, those that the application's kernel has otherwise. They stay what they are. */
  otherSettings(wanted: Settings): readonly OtherSetting[] {
    return Object.entries(wanted).flatMap(([name, value]) => {
      checkSettingName(name);
      const is = this.#setting(name);
      // Settings of several numbers come with tabs between them.
      return is === String(value) ? [] : [{ name, is, wanted: String(value) }];
    });
  }

  #setting(name: string): string | undefined {
    try {
      const text = this.#target.namespace.run(() => readFileSync(settingFile(name), 'utf8'));
      return text.trim().replaceAll(/\s+/g, ' ');
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#target[Symbol.dispose]();
  }
}

/** The first of a container's networks that has an address of the IP version for it. */
function joinable(
  { name, networks }: FoundContainer,
  { port, ipVersion }: Pick<ApplicationOptions, 'port' | 'ipVersion'>,
): { readonly name: string; readonly ip: string } {
  for (const network of networks) {
    const ip = ipVersion === 4 ? network.ip : network.ipv6;
    if (ip !== undefined) return { name: network.name, ip };
  }
  const withAny = networks.filter(({ ip, ipv6 }) => ip !== undefined || ipv6 !== undefined);
  throw new NoSuchTarget(
    withAny.length === 0
      ? `container ${name} has no network of its own that a client could join: attach to it instead ("lastack attach ${name} --port ${port}")`
      : `no network of container ${name} has IPv${ipVersion} addresses (${withAny.map((each) => each.name).join(', ')}): play it with --ip ${ipVersion === 4 ? 6 : 4}`,
  );
}
