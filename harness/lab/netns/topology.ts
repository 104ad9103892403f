/** Two sides and what lies between: a namespace with a link for each kernel, and addresses that no other lab has. */
import { otherSide, SIDES, type Side } from '../../fault/index.js';
import type { NetworkNamespace } from '../../sys/index.js';
import { chosenAddresses } from '../chosen-addresses.js';
import { destroySockets } from '../destroy-sockets.js';
import type { LabOptions, Settings } from '../lab.js';
import { AddressPool, type LabAddresses } from '../lab-addresses.js';
import { ADDRESS_BLOCK_VARIABLE, claimBlock } from './address-block.js';
import { addEndpointLink, isReady, type LinkPlace, makeEndpointNamespace } from './endpoint-namespace.js';
import type { Leg } from './leg.js';
import { LARGEST_MTU } from './thread/packet-port.js';
import type { SideOptions } from './thread/protocol.js';
import type { WireThread } from './wire-thread.js';

export const DEFAULT_MTU = 1500;
/** RFC 791 section 3.2 and RFC 8200 section 5. */
const SMALLEST_MTU = { 4: 68, 6: 1280 } as const;
/** The kernel looks at carriers once a second at least. */
const READY_WITHIN_MS = 5000;

let pool: AddressPool | undefined;

function addressPool(): AddressPool {
  const inherited = process.env[ADDRESS_BLOCK_VARIABLE];
  pool ??= new AddressPool(claimBlock(inherited === undefined ? undefined : Number(inherited)).block);
  return pool;
}

interface Place {
  readonly namespace: NetworkNamespace;
  readonly ifindex: number;
  readonly link: LinkPlace;
  /** Somebody else made it, and ends it. */
  readonly isShared: boolean;
}

export class Topology implements Disposable {
  readonly ipVersion: 4 | 6;
  readonly mtu: number;
  readonly #addresses: LabAddresses & Disposable;
  readonly #places = new Map<Side, Place>();
  readonly #peer: Side | undefined;
  readonly #thread: WireThread;
  readonly #leg: Leg | undefined;

  /** `kernels`: the sides whose stack is this machine's kernel. Throws with nothing left behind. */
  constructor(options: LabOptions, kernels: readonly Side[], thread: WireThread, leg?: Leg) {
    const { ipVersion, mtu = DEFAULT_MTU, peer, addresses } = options;
    checkMtu(mtu, ipVersion);
    this.ipVersion = ipVersion;
    this.mtu = mtu;
    this.#peer = peer;
    this.#thread = thread;
    this.#leg = leg;
    this.#addresses =
      addresses === undefined ? addressPool().take(ipVersion) : chosenAddresses(addresses, ipVersion);
    try {
      for (const side of kernels) this.#furnish(side, options.settings?.[side] ?? {});
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #furnish(side: Side, settings: Settings): void {
    const ifindex = this.#thread.nextIfindex();
    const shared = this.#leg?.side === side ? this.#leg : undefined;
    const options = {
      side,
      ip: this.ip(side),
      remoteIp: this.ip(otherSide(side)),
      prefixBits: this.#addresses.prefixBits,
      ipVersion: this.ipVersion,
      mtu: this.mtu,
      settings,
      farSide: this.#thread.farSide(this.mtu),
      farIfindex: ifindex,
    };
    if (shared === undefined) {
      const namespace = makeEndpointNamespace(options);
      this.#places.set(side, { namespace, ifindex, link: 'first', isShared: false });
      return;
    }
    const { namespace, link } = shared;
    addEndpointLink(namespace, { ...options, link });
    this.#places.set(side, { namespace, ifindex, link, isShared: true });
  }

  /** Resolves once the stacks can send and receive: at once, but on kernels before 6.9. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    for (const [side, { namespace, link }] of this.#places) {
      while (!isReady(namespace, link)) {
        if (performance.now() > deadline)
          throw new Error(`the ${side}'s link did not come up within ${READY_WITHIN_MS} ms`);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  ip(side: Side): string {
    return this.#addresses.ip(side);
  }

  /** Undefined for a side that is no kernel. */
  namespace(side: Side): NetworkNamespace | undefined {
    return this.#places.get(side)?.namespace;
  }

  /** Whether a side's namespace has links and sockets of others, too. */
  isShared(side: Side): boolean {
    return this.#places.get(side)?.isShared === true;
  }

  /** What the wire's thread needs to know of a side. */
  sideOptions(side: Side): SideOptions {
    const place = this.#places.get(side);
    if (place !== undefined) return { kind: 'link', ifindex: place.ifindex, mtu: this.mtu };
    return { kind: side === this.#peer ? 'peer' : 'own' };
  }

  /** The side that sees a connection between these addresses as its own. */
  sideOf(localIp: string, remoteIp: string): Side | undefined {
    return SIDES.find(
      (side) => localIp === this.ip(side) || (isAny(localIp) && remoteIp === this.ip(otherSide(side))),
    );
  }

  /** Packets that the kernel lost on the links, not the wire: there should be none. */
  linkDrops(): number {
    let drops = 0;
    for (const { ifindex } of this.#places.values()) {
      const { rxDropped, txDropped } = this.#thread.farSide(this.mtu).rtnetlink.drops(ifindex);
      drops += rxDropped + txDropped;
    }
    return drops;
  }

  /** Ends what sockets there are, and lets the namespaces go: their links go with them. */
  [Symbol.dispose](): void {
    for (const { namespace, isShared } of this.#places.values()) {
      if (isShared) continue;
      destroySockets(namespace, this.ipVersion);
      namespace[Symbol.dispose]();
    }
    this.#places.clear();
    this.#addresses[Symbol.dispose]();
  }
}

const isAny = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

function checkMtu(mtu: number, ipVersion: 4 | 6): void {
  const smallest = SMALLEST_MTU[ipVersion];
  if (Number.isInteger(mtu) && mtu >= smallest && mtu <= LARGEST_MTU) return;
  throw new RangeError(
    `a lab with IPv${ipVersion} cannot have an MTU of ${mtu}: give a number from ${smallest} to ${LARGEST_MTU}`,
  );
}
