/**
 * A place for the own TCP in a network namespace that is there, such as a container's: a veth pair with the kernel at one end and the stack
 * at the other. The kernel forwards between it and the network, and answers there for the stack's addresses; so the stack's segments
 * pass the hooks that forwarded ones do. It takes CAP_NET_ADMIN and CAP_NET_RAW, and nothing else.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETLINK_ROUTE, NetlinkSocket, SysError } from '../../sys/index.js';
import { explainLabFailure, LabUnavailable } from '../netns/explain.js';
import { switchOffloadsOff } from '../netns/offloads.js';
import { Rtnetlink } from '../netns/rtnetlink.js';
import { addAddress, findLink, linkIndex, lookAtLink, setUp } from '../rtnetlink-messages.js';
import {
  addHostRoute,
  addPair,
  addProxy,
  deleteLink,
  deleteProxy,
  findRoute,
  forwardIpv4From,
  proxyAtOnce,
  readLink,
  readRoute,
  withoutIpv6Addresses,
} from './box-messages.js';

const LINKS = { kernel: 'to-stack', stack: 'stack' } as const;
/** The kernel's own at its end of the pair: link-local, so that they are of no network that the namespace is on. */
const GATEWAYS = { 4: '169.254.77.1', 6: 'fe80::1' } as const;
const GATEWAY_BITS = { 4: 32, 6: 64 } as const;
const OPERATIONAL_WITHIN_MS = 5000;

interface Network {
  readonly link: number;
  readonly name: string;
  readonly mtu: number;
}

export class OwnBox implements Disposable {
  /** The link that is the stack's. */
  readonly link = LINKS.stack;
  readonly gateways: readonly string[];
  readonly #netlink = new NetlinkSocket(NETLINK_ROUTE);
  readonly #proxies: { readonly link: number; readonly ip: string }[] = [];
  readonly #ips: readonly string[];
  #kernelEnd: number | undefined;
  #isOver = false;

  private constructor(ips: readonly string[]) {
    this.#ips = ips;
    this.gateways = [...new Set(ips.map((ip) => GATEWAYS[versionOf(ip)]))];
  }

  /**
   * In the namespace of the calling thread, for addresses of a network that it is on and that nobody has. Rejects with
   * `LabUnavailable`, in one sentence.
   */
  static async open(ips: readonly string[]): Promise<OwnBox> {
    const box = new OwnBox(ips);
    try {
      await box.#make();
      return box;
    } catch (error) {
      box[Symbol.dispose]();
      throw explainLabFailure(error);
    }
  }

  async #make(): Promise<void> {
    const networks = this.#ips.map((ip) => ({ ip, network: this.#networkOf(ip) }));
    const stackEnd = this.#addPair(Math.min(...networks.map(({ network }) => network.mtu)));
    const kernelEnd = this.#kernelEnd ?? 0;
    if (this.#ips.some(isIPv6)) {
      switchOn('ipv6/conf/all/forwarding');
      switchOn('ipv6/conf/all/proxy_ndp');
      switchOn(`ipv6/conf/${LINKS.kernel}/disable_ipv6`, '0');
    }
    this.#silence(stackEnd);
    for (const link of [kernelEnd, stackEnd]) this.#netlink.request(setUp(link));
    for (const version of new Set(this.#ips.map(versionOf))) this.#gateway(kernelEnd, version);
    await isOperational([kernelEnd, stackEnd]);
    for (const { ip, network } of networks) this.#join(ip, network.link, kernelEnd);
  }

  #networkOf(ip: string): Network {
    const route = this.#foundRoute(ip);
    if (route === undefined || !route.isOnLink)
      throw new LabUnavailable(
        `${ip} is no free address of a network that is on a link here ("ip addr" shows them): give one of those`,
      );
    const [answer] = this.#netlink.request(lookAtLink(route.link));
    if (answer === undefined) throw new LabUnavailable(`the link of ${ip} is gone`);
    const { name, mtu } = readLink(answer);
    if (name === LINKS.kernel) throw alreadyThere();
    return { link: route.link, name, mtu };
  }

  #foundRoute(ip: string) {
    try {
      const [answer] = this.#netlink.request(findRoute(ip));
      return answer === undefined ? undefined : readRoute(answer);
    } catch (error) {
      if (error instanceof SysError && /UNREACH|EINVAL/.test(error.code)) return undefined;
      throw error;
    }
  }

  /** Index of the stack's end. */
  #addPair(mtu: number): number {
    try {
      this.#netlink.request(addPair({ ...LINKS, mtu }));
    } catch (error) {
      if (error instanceof SysError && error.code === 'EEXIST') throw alreadyThere();
      if (error instanceof SysError && error.code === 'EPERM')
        throw new LabUnavailable(
          'no links may be made here: run it as root of the network namespace, or give the container the capabilities NET_ADMIN and NET_RAW',
        );
      throw error;
    }
    this.#kernelEnd = this.#index(LINKS.kernel);
    for (const link of Object.values(LINKS)) switchOffloadsOff(link);
    return this.#index(LINKS.stack);
  }

  #index(name: string): number {
    const [answer] = this.#netlink.request(findLink(name));
    if (answer === undefined) throw new LabUnavailable(`the link ${name} is gone`);
    return linkIndex(answer);
  }

  #silence(stackEnd: number): void {
    try {
      this.#netlink.request(withoutIpv6Addresses(stackEnd));
    } catch (error) {
      // Without IPv6 there is nothing to silence.
      if (!(error instanceof SysError && error.code === 'EAFNOSUPPORT')) throw error;
    }
  }

  #gateway(kernelEnd: number, version: 4 | 6): void {
    const [ip, prefixBits] = [GATEWAYS[version], GATEWAY_BITS[version]];
    for (const request of addAddress(kernelEnd, { ip, remoteIp: ip, prefixBits }))
      this.#netlink.request(request);
  }

  #join(ip: string, network: number, kernelEnd: number): void {
    const version = versionOf(ip);
    if (version === 4) for (const link of [network, kernelEnd]) this.#netlink.request(forwardIpv4From(link));
    this.#netlink.request(addHostRoute(kernelEnd, ip));
    this.#netlink.request(proxyAtOnce(network, version));
    this.#netlink.request(addProxy(network, ip));
    this.#proxies.push({ link: network, ip });
  }

  /** The pair goes, and with it the routes. What the kernel's settings are by now they stay. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const { link, ip } of this.#proxies) this.#forget(deleteProxy(link, ip));
    if (this.#kernelEnd !== undefined) this.#forget(deleteLink(this.#kernelEnd));
    this.#netlink[Symbol.dispose]();
  }

  #forget(request: Parameters<NetlinkSocket['request']>[0]): void {
    try {
      this.#netlink.request(request);
    } catch (error) {
      // Somebody else has taken it away.
      if (!(error instanceof SysError)) throw error;
    }
  }
}

const versionOf = (ip: string): 4 | 6 => (isIPv6(ip) ? 6 : 4);

const alreadyThere = (): LabUnavailable =>
  new LabUnavailable(
    `a network namespace has one place for our own TCP, and the link ${LINKS.kernel} is here already: where it was left by one that was killed, "ip link del ${LINKS.kernel}" removes it`,
  );

/** Kernel settings that rtnetlink has not. A container has /proc/sys read-only: they are given at its start. */
function switchOn(setting: string, value = '1'): void {
  const path = `/proc/sys/net/${setting}`;
  if (readFileSync(path, 'utf8').trim() === value) return;
  try {
    writeFileSync(path, value);
  } catch (error) {
    const name = `net.${setting.replace(`/${LINKS.kernel}/`, '/all/').replaceAll('/', '.')}`;
    throw new LabUnavailable(
      `${path} is not ${value} and cannot be written: start the container with "--sysctl ${name}=${value}"`,
      { cause: error },
    );
  }
}

/** The kernel learns of a veth's carrier through a queue of work; what is sent before is lost. */
async function isOperational(links: readonly number[]): Promise<void> {
  using rtnetlink = new Rtnetlink();
  const deadlineMs = performance.now() + OPERATIONAL_WITHIN_MS;
  while (!links.every((link) => rtnetlink.isOperational(link))) {
    if (performance.now() > deadlineMs)
      throw new LabUnavailable(
        `the veth pair ${LINKS.kernel} has not come up within ${OPERATIONAL_WITHIN_MS} ms`,
      );
    await sleep(1);
  }
}
