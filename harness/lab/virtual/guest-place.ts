/** A lab's place in a guest: a network namespace with a card of its own on the guest's wire, addresses and settings. */

import type { Clock } from '../../clock/index.js';
import { AgentEndpoint, type CallLog, SocketError, type SocketState } from '../../endpoint/index.js';
import type { Side } from '../../fault/index.js';
import {
  type DiagSocket,
  decodeDiagMessage,
  dumpRequest,
  findRequest,
  type PairQuery,
} from '../../observe/index.js';
import { NETLINK_ROUTE, NETLINK_SOCK_DIAG, SysError } from '../../sys/index.js';
import { destroyRequest } from '../destroy-sockets.js';
import type { Settings } from '../lab.js';
import { addAddress, addMacvlan, findLink, linkIndex, setUp } from '../rtnetlink-messages.js';
import { checkSettingName, settingFailure, settingFile } from '../setting-names.js';
import type { GuestHost, WireCard } from './guest-host.js';

const LINK = 'eth0';
const LOOPBACK_INDEX = 1;
const OWN_NAMESPACE = 0;

export interface PlaceOptions {
  readonly host: GuestHost;
  readonly side: Side;
  readonly card: WireCard;
  readonly mac: Uint8Array;
  readonly ip: string;
  readonly remoteIp: string;
  readonly prefixBits: number;
  readonly ipVersion: 4 | 6;
  readonly mtu: number;
  readonly settings: Settings;
}

export class GuestPlace {
  readonly #options: PlaceOptions;
  readonly #namespace: number;

  readonly #namespaceFd: number;

  private constructor(options: PlaceOptions, namespace: { readonly handle: number; readonly fd: number }) {
    this.#options = options;
    this.#namespace = namespace.handle;
    this.#namespaceFd = namespace.fd;
  }

  /** A namespace with nothing in it, to be freed in any case. */
  static async make(options: PlaceOptions): Promise<GuestPlace> {
    return new GuestPlace(options, await options.host.client.newNamespace());
  }

  /** Gives it its card, addresses and settings. */
  async furnish(): Promise<void> {
    const { host, mac, mtu, ip, remoteIp, prefixBits, ipVersion, settings, side } = this.#options;
    // Without a link-local address there is nothing to announce or to discover (addr_gen_mode 1 is "none").
    if (ipVersion === 6) await this.#write('ipv6.conf.default.addr_gen_mode', '1');
    else await this.#write('ipv6.conf.default.disable_ipv6', '1');
    await host.netlink(
      OWN_NAMESPACE,
      NETLINK_ROUTE,
      addMacvlan({
        name: LINK,
        mac,
        mtu,
        card: await host.card(this.#options.card),
        namespaceFd: this.#namespaceFd,
      }),
    );
    const [link] = await host.netlink(this.#namespace, NETLINK_ROUTE, findLink(LINK));
    if (link === undefined) throw new Error(`${host.name} has lost the card of a lab`);
    const index = linkIndex(link);
    const requests = [
      setUp(LOOPBACK_INDEX),
      setUp(index),
      ...addAddress(index, { ip, remoteIp, prefixBits }),
    ];
    for (const request of requests) await host.netlink(this.#namespace, NETLINK_ROUTE, request);
    for (const [name, value] of Object.entries(settings)) await this.#set(name, String(value), side);
  }

  async #set(name: string, value: string, side: Side): Promise<void> {
    checkSettingName(name);
    try {
      await this.#write(name, value);
    } catch (error) {
      const errno = error instanceof SocketError ? error.errno : undefined;
      throw settingFailure({ name, value, side, errno }, error);
    }
  }

  #write(name: string, value: string): Promise<void> {
    return this.#options.host.client.writeFile(this.#namespace, settingFile(name), value);
  }

  endpoint(clock: Clock, log: CallLog): AgentEndpoint {
    const { host, side, ip } = this.#options;
    return new AgentEndpoint({
      client: host.client,
      stack: host.stack,
      side,
      ip,
      namespace: this.#namespace,
      clock,
      log,
      sockets: (): Promise<readonly SocketState[]> => this.#sockets(),
    });
  }

  async #sockets(): Promise<readonly DiagSocket[]> {
    const { host, ipVersion } = this.#options;
    const answers = await host.netlink(this.#namespace, NETLINK_SOCK_DIAG, dumpRequest({ ipVersion }));
    return answers.flatMap(decodeDiagMessage);
  }

  /** The connection's socket, or the listener that its segments would find. */
  async find(query: PairQuery): Promise<DiagSocket | undefined> {
    try {
      const request = findRequest(query);
      const [answer] = await this.#options.host.netlink(this.#namespace, NETLINK_SOCK_DIAG, request);
      return answer && decodeDiagMessage(answer)[0];
    } catch (error) {
      if (error instanceof SysError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Ends the sockets that there still are, orphans too, and lets the namespace go. */
  async free(): Promise<void> {
    const { host, ipVersion } = this.#options;
    for (const socket of await this.#sockets()) {
      await host
        .netlink(this.#namespace, NETLINK_SOCK_DIAG, destroyRequest(socket, ipVersion))
        .catch((error: unknown) => {
          // It went by itself meanwhile.
          if (!(error instanceof SysError)) throw error;
        });
    }
    await host.client.freeNamespace(this.#namespace);
  }
}
