/** Where rules are to work: on which host, for which connections, at which hook. */
import { SIDES, type Side } from '../../fault/index.js';
import { ipVersion } from '../../segment/index.js';

export type IpVersion = 4 | 6;

export interface RulePlace {
  /** The host that has the rules: an end, or one between the ends that forwards (a bridge's host, a router). */
  readonly side: Side | 'between';
  /** Addresses of the ends. */
  readonly client?: string;
  readonly server?: string;
  /** The server's port. */
  readonly port?: number;
  /** For iptables and nft: the hook instead of INPUT, OUTPUT and FORWARD. */
  readonly chain?: Chain;
  /** For tc. */
  readonly interface?: string;
  readonly ipVersion?: IpVersion;
}

export const CHAINS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const;
export type Chain = (typeof CHAINS)[number];

/** What a packet has that comes from a side. */
export interface Direction {
  readonly from: Side;
  readonly src?: string;
  readonly dst?: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
}

export function directionOf(from: Side, { client, server, port }: RulePlace): Direction {
  return {
    from,
    ...(from === 'client'
      ? { ...some('src', client), ...some('dst', server), ...some('dstPort', port) }
      : { ...some('src', server), ...some('dst', client), ...some('srcPort', port) }),
  };
}

const some = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V }; // the key is K

export const directionsOf = (place: RulePlace): readonly Direction[] =>
  SIDES.map((from) => directionOf(from, place));

/** The versions of IP that packets of this place can have. */
export function versionsOf({ client, server, ipVersion: asked }: RulePlace): readonly IpVersion[] {
  const given = ipVersion(client ?? server ?? '') ?? asked;
  return given === undefined ? [4, 6] : [given];
}

/** What is wrong with a place, in a sentence. */
export function placeProblem(place: RulePlace): string | undefined {
  const { client, server, port, ipVersion: asked } = place;
  if (client === undefined && server === undefined && port === undefined)
    return "nothing tells the client's segments from the server's: name the server's port (--port) or an address (--client, --server)";
  for (const address of [client, server])
    if (address !== undefined && ipVersion(address) === undefined)
      return `"${address}" is no IP address: write one such as 192.0.2.1 or 2001:db8::1`;
  const versions = new Set([client, server].flatMap((each) => ipVersion(each ?? '') ?? []));
  if (asked !== undefined) versions.add(asked);
  if (versions.size > 1)
    return 'addresses of IPv4 and of IPv6 are never those of one connection: name one version';
  if (client !== undefined && client === server && port === undefined)
    return "both ends have the same address: name the server's port (--port)";
  return undefined;
}

/**
 * Where a segment from a side goes by. A host of an end sees what comes at its INPUT and what it sends at its OUTPUT, where
 * a drop is no loss to the sending TCP.
 */
export function hookOf(from: Side, { side, chain }: RulePlace): Chain {
  if (chain !== undefined) return chain;
  if (side === 'between') return 'FORWARD';
  return from === side ? 'OUTPUT' : 'INPUT';
}

/** Whether the sender's own TCP learns that a segment of this side was dropped: nobody else's go by OUTPUT. */
export function isSendersOwn(from: Side, place: RulePlace): boolean {
  const hook = hookOf(from, place);
  return hook === 'OUTPUT' || (hook === 'POSTROUTING' && from === place.side);
}
