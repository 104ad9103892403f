/**
 * Which segments of a network namespace are a wire's, and what follows from that: the rules that bring them, who has sent one, whose sockets
 * are watched. Pure.
 */
import { otherSide, SIDES, type Side } from '../../fault/index.js';
import type { Pair } from '../../observe/index.js';
import { type QueuedPacket, type QueuedSegments, sideOfPacket } from '../../wire/index.js';

/** All of a port, whichever ends of its connections the namespace has. */
export interface PortIntake {
  readonly kind: 'port';
  /** The server's: whoever speaks from it is the server. */
  readonly port: number;
  /** The namespace's addresses; may grow. */
  readonly localIps: ReadonlySet<string>;
}

/** All between two addresses, of which the namespace has one. */
export interface PairIntake {
  readonly kind: 'pair';
  /** Whose address the namespace has. */
  readonly side: Side;
  /**
   * `input`: what the other side has sent, when it comes in: the other side's namespace has a wire's hook as well, or nobody sees what goes there.
   * `output`: what this side sends, to a scripted peer or to a machine where no hook is.
   */
  readonly hook: 'input' | 'output';
  readonly addresses: Readonly<Record<Side, string>>;
  /** Only segments with one of these at either end; none: all. */
  readonly ports: readonly number[];
  /** Whether the namespace's own connection tracking sees them. */
  readonly isTracked: boolean;
  /** The side's stack is not the namespace's: that only forwards to it. */
  readonly isForwarded: boolean;
  /** With `output`: the stack of the other side is on another machine, and is reached from here only. */
  readonly isFar?: boolean;
}

export type Intake = PortIntake | PairIntake;

export function queuedSegments(intake: Intake): QueuedSegments {
  if (intake.kind === 'port') return { kind: 'port', port: intake.port };
  const { side, hook, addresses, ports, isTracked, isForwarded } = intake;
  const [own, other] = [addresses[side], addresses[otherSide(side)]];
  const [source, destination] = hook === 'input' ? [other, own] : [own, other];
  return { kind: 'between', hook, source, destination, ports, isTracked, isForwarded };
}

/** The side that has sent a packet; undefined for one that is not the wire's. */
export function senderOf(intake: Intake, { packet, hook }: QueuedPacket): Side | undefined {
  if (intake.kind === 'port') return sideOfPacket(packet, intake.port, hook);
  return intake.hook === 'input' ? otherSide(intake.side) : intake.side;
}

/** The sides whose sockets the namespace may have. */
export const watchedSides = (intake: Intake): readonly Side[] =>
  intake.kind === 'pair' && (intake.isForwarded || isFar(intake)) ? [] : sidesOf(intake);

/** The sides that can be reached through the namespace. */
export function sidesOf(intake: Intake): readonly Side[] {
  if (intake.kind === 'port') return SIDES;
  return [isFar(intake) ? otherSide(intake.side) : intake.side];
}

/** Whether what leaves there has its receiver's network before it. */
export const isFar = (intake: Intake): boolean => intake.kind === 'pair' && (intake.isFar ?? false);

/** Whether the namespace has this side of a connection. A listener is the server's of a port, and either's of a pair. */
export function ownedPairs(intake: Intake, side: Side): (pair: Pair) => boolean {
  return intake.kind === 'port' ? ownedByPort(intake, side) : ownedByPair(intake, side);
}

function ownedByPort({ port, localIps }: PortIntake, side: Side): (pair: Pair) => boolean {
  const isServer = side === 'server';
  return ({ local, remote }) => {
    if (isServer !== (local.port === port) || (!isServer && remote.port !== port)) return false;
    return isAny(local.ip) || localIps.has(local.ip) || local.ip.startsWith('127.');
  };
}

function ownedByPair({ addresses, ports }: PairIntake, side: Side): (pair: Pair) => boolean {
  const [own, other] = [addresses[side], addresses[otherSide(side)]];
  return ({ local, remote }) => {
    if (local.ip !== own && !isAny(local.ip)) return false;
    if (remote.port !== 0 && remote.ip !== other) return false;
    return ports.length === 0 || ports.includes(local.port) || ports.includes(remote.port);
  };
}

const isAny = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';
