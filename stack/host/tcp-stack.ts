/**
 * A host's TCP: packets in, packets out, and sockets for programs. It knows no device and no clock of its own: packets, time and
 * randomness are handed in, so that it runs the same in virtual time, in real time and in a simulation.
 */
import { decode, encode, FLAG, type IpHeader, type Segment } from '../../harness/segment/index.js';
import {
  DEFAULT_SETTINGS,
  expire,
  icmpArrives,
  newBlock,
  newStep,
  type OpenOptions,
  openActive,
  openPassive,
  readSynOptions,
  resetFor,
  type SocketAddress,
  type Step,
  segmentArrives,
  send,
  type TcpSettings,
  type TcpState,
} from '../tcp/index.js';
import { ConnectionTable } from './connection-table.js';
import { FastOpenCookies } from './fast-open.js';
import { readIcmp } from './icmp-message.js';
import { initialSequence, timestampOffset } from './initial-sequence.js';
import { KEY_OCTETS, KeyedHash } from './keyed-hash.js';
import { PathMtus } from './path-mtus.js';
import { answerWithCookie, type CookieJar, openFromCookie } from './stateless-opening.js';
import { TcpListener } from './tcp-listener.js';
import { type SocketHost, TcpSocket } from './tcp-socket.js';

export interface StackTimer {
  cancel(): void;
}

/** Nanoseconds that never go back. */
export interface StackClock {
  now(): number;
  at(atNs: number, action: () => void): StackTimer;
}

export interface TcpStackOptions {
  readonly clock: StackClock;
  /** Octets that nobody can guess: keys, and the choice of ports. */
  readonly randomBytes: (octets: number) => Uint8Array;
  /** Takes each IP packet that leaves. It must not call `input` of this stack before it returns. */
  readonly output: (packet: Uint8Array) => void;
  /** The host's own addresses. */
  readonly addresses: readonly string[];
  /** Of the link, in octets of IP packet. */
  readonly mtu?: number;
  readonly settings?: Partial<TcpSettings>;
  /** Ports for connections that ask for none (RFC 6056); default 32768 to 60999. */
  readonly ports?: { readonly from: number; readonly to: number };
  /** `flood` (default): SYN cookies when a listener's backlog is full; `always`; `never`: SYNs are dropped then. */
  readonly synCookies?: 'flood' | 'always' | 'never';
  /** Told of each change of state, in order. */
  readonly observe?: (change: StateChange) => void;
}

export interface StateChange {
  readonly atNs: number;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly from: TcpState;
  readonly to: TcpState;
  /** In TIME-WAIT: how long it will last, in ns; `from` and `to` are TIME-WAIT when it was started anew. */
  readonly remainsNs?: number;
}

export interface ConnectOptions {
  /** Default: the host's first address of the version, and a free port. */
  readonly from?: Partial<SocketAddress>;
  readonly settings?: Partial<TcpSettings>;
  /** Fast Open (RFC 7413): travels on the SYN where the server has given a cookie, and behind the handshake else. */
  readonly data?: Uint8Array;
  readonly fastOpen?: boolean;
}

export interface ListenOptions {
  /** Default: the unspecified address of the host's first address's version: all of the host's. */
  readonly ip?: string;
  /** 0 or absent: a free one. */
  readonly port?: number;
  readonly backlog?: number;
  readonly settings?: Partial<TcpSettings>;
  /** Takes data on SYNs with a cookie, and gives cookies out. */
  readonly fastOpen?: boolean;
}

/** No port, no route, no such address: what a call can be refused for, by the names that programs know. */
export class StackError extends Error {
  override readonly name = 'StackError';
  constructor(
    readonly code: 'EADDRINUSE' | 'EADDRNOTAVAIL' | 'ENETUNREACH' | 'EINVAL',
    message: string,
  ) {
    super(message);
  }
}

interface Armed {
  timer: StackTimer;
  atNs: number;
}

const ANY = { 4: '0.0.0.0', 6: '::' } as const;
const DEFAULT_MTU = 1500;
const DEFAULT_PORTS = { from: 32_768, to: 60_999 };
const BACKLOG = 128;
/** ACKs are held for cookies so long after the last that was given out. */
const COOKIES_HOLD_NS = 128e9;

export class TcpStack implements SocketHost {
  readonly #options: TcpStackOptions;
  readonly #settings: TcpSettings;
  readonly #mtu: number;
  readonly #addresses: ReadonlySet<string>;
  readonly #connections = new ConnectionTable<TcpSocket>();
  readonly #listeners = new Map<number, TcpListener[]>();
  readonly #armed = new Map<TcpSocket, Armed>();
  readonly #listenerOf = new Map<TcpSocket, TcpListener>();
  readonly #secret: KeyedHash;
  readonly #pathMtus = new PathMtus();
  readonly #fastOpen: FastOpenCookies;
  #identification = 0;

  constructor(options: TcpStackOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#mtu = options.mtu ?? DEFAULT_MTU;
    this.#addresses = new Set(options.addresses);
    this.#secret = new KeyedHash(options.randomBytes(KEY_OCTETS));
    this.#fastOpen = new FastOpenCookies(new KeyedHash(options.randomBytes(KEY_OCTETS)));
  }

  now(): number {
    return this.#options.clock.now();
  }

  /** All connections that there are, those in TIME-WAIT too. */
  get sockets(): Iterable<TcpSocket> {
    return this.#connections;
  }

  get socketCount(): number {
    return this.#connections.count;
  }

  get listeners(): readonly TcpListener[] {
    return [...this.#listeners.values()].flat();
  }

  // OPEN

  listen({ ip, port = 0, backlog = BACKLOG, settings, fastOpen = false }: ListenOptions = {}): TcpListener {
    const address = ip ?? ANY[versionOf(this.#options.addresses[0] ?? '')];
    if (ip !== undefined && !isAny(ip) && !this.#addresses.has(ip))
      throw new StackError('EADDRNOTAVAIL', `${ip} is no address of this host`);
    const chosen = port === 0 ? this.#freePort((each) => !this.#listeners.has(each)) : port;
    const there = this.#listeners.get(chosen) ?? [];
    if (there.some(({ local }) => local.ip === address || isAny(local.ip) || isAny(address)))
      throw new StackError('EADDRINUSE', `something listens at port ${chosen} already`);
    const listener = new TcpListener({
      local: { ip: address, port: chosen },
      settings: { ...this.#settings, ...settings },
      backlog: Math.max(backlog, 1),
      fastOpen,
      closed: (gone) => this.#forgetListener(gone),
    });
    this.#listeners.set(chosen, [...there, listener]);
    this.#observe(listener.local, { ip: address, port: 0 }, 'CLOSED', 'LISTEN');
    return listener;
  }

  connect(to: SocketAddress, options: ConnectOptions = {}): TcpSocket {
    const local = this.#localFor(to, options.from);
    const settings = { ...this.#settings, ...options.settings };
    const wantsFastOpen = options.fastOpen === true;
    const block = newBlock(
      {
        ...this.#openOptions(local, to, settings),
        ...(wantsFastOpen ? { fastOpenCookie: this.#fastOpen.of(to.ip) } : {}),
      },
      true,
      this.now(),
    );
    const socket = new TcpSocket(block, this);
    this.#connections.add(socket);
    const step = newStep(this.now());
    // SEND before OPEN has left: what is queued may travel on the SYN.
    block.state = 'SYN-SENT';
    if (options.data !== undefined) send(block, step, options.data);
    block.state = 'CLOSED';
    openActive(block, step);
    this.done(socket, step);
    return socket;
  }

  #localFor(to: SocketAddress, from: Partial<SocketAddress> = {}): SocketAddress {
    const version = versionOf(to.ip);
    const own = this.#options.addresses.find((each) => versionOf(each) === version);
    const ip = from.ip ?? own;
    if (ip === undefined || versionOf(ip) !== version)
      throw new StackError('ENETUNREACH', `this host has no IPv${version} address to reach ${to.ip} from`);
    if (!this.#addresses.has(ip)) throw new StackError('EADDRNOTAVAIL', `${ip} is no address of this host`);
    const isFree = (port: number): boolean =>
      this.#connections.find(ip, port, to.ip, to.port) === undefined && !this.#listeners.has(port);
    const { port = 0 } = from;
    if (port === 0) return { ip, port: this.#freePort(isFree) };
    if (this.#connections.find(ip, port, to.ip, to.port) !== undefined)
      throw new StackError(
        'EADDRINUSE',
        `there is a connection from port ${port} to ${to.ip} port ${to.port} already`,
      );
    return { ip, port };
  }

  /** RFC 6056 section 3.3.1: a random one, and from there on the next that is free. */
  #freePort(isFree: (port: number) => boolean): number {
    const { from, to } = this.#options.ports ?? DEFAULT_PORTS;
    const count = to - from + 1;
    const [a = 0, b = 0, c = 0, d = 0] = this.#options.randomBytes(4);
    const start = (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) % count;
    for (let i = 0; i < count; i += 1) {
      const port = from + ((start + i) % count);
      if (isFree(port)) return port;
    }
    throw new StackError('EADDRINUSE', `all ports from ${from} to ${to} are in use`);
  }

  #openOptions(local: SocketAddress, remote: SocketAddress, settings: TcpSettings): OpenOptions {
    const nowNs = this.now();
    const pathMtu = this.#pathMtus.get(remote.ip, nowNs);
    return {
      local,
      remote,
      ipVersion: versionOf(remote.ip),
      settings,
      iss: initialSequence(this.#secret, local, remote, nowNs),
      tsOffset: timestampOffset(this.#secret, local.ip, remote.ip),
      linkMtu: this.#mtu,
      flowLabel: this.#secret.ofPair('flow', local, remote) & 0xfffff,
      ...(pathMtu === undefined ? {} : { pathMtu }),
    };
  }

  // Packets

  /** A packet has come. It may be kept: hand over octets that nobody changes. */
  input(packet: Uint8Array): void {
    const decoded = decode(packet);
    switch (decoded.kind) {
      case 'segment': {
        const { checksumOk, segment } = decoded;
        // RFC 9293 MUST-3: what is damaged is as good as lost.
        if (checksumOk.ip && checksumOk.tcp && this.#isForUs(segment.ip)) this.#segment(segment);
        return;
      }
      case 'other':
        if (!decoded.fragment && this.#isForUs(decoded.ip)) this.#icmp(decoded.protocol, decoded.payload);
        return;
      default:
    }
  }

  /** MUST-57 and MUST-63: nothing is answered that came from or to a broadcast or multicast address. */
  #isForUs({ src, dst }: IpHeader): boolean {
    return this.#addresses.has(dst) && !isGroup(src) && !isAny(src);
  }

  #segment(segment: Segment): void {
    const { ip, srcPort, dstPort } = segment;
    const socket = this.#connections.find(ip.dst, dstPort, ip.src, srcPort);
    if (socket === undefined) {
      this.#segmentForNobody(segment);
      return;
    }
    const step = newStep(this.now());
    const hadCookie = socket.block.fastOpenCookie;
    segmentArrives(socket.block, step, segment);
    if (hadCookie !== undefined && (segment.flags & FLAG.SYN) !== 0) this.#keepCookie(segment);
    this.done(socket, step);
    // RFC 6191: the old connection has made room for a new one.
    if (step.notices.some(({ kind }) => kind === 'reincarnation')) this.#segmentForNobody(segment);
  }

  #keepCookie(segment: Segment): void {
    const { fastOpen } = readSynOptions(segment);
    if (fastOpen !== undefined && fastOpen.length > 0) this.#fastOpen.keep(segment.ip.src, fastOpen);
  }

  /** CLOSED and LISTEN of RFC 9293 sections 3.10.7.1 and 3.10.7.2. */
  #segmentForNobody(segment: Segment): void {
    const listener = this.#listenerFor(segment);
    if (listener === undefined) {
      this.#reset(segment);
      return;
    }
    const { flags } = segment;
    // First, check for a RST: ignored.
    if ((flags & FLAG.RST) !== 0) return;
    // Second, check for an ACK: "any acknowledgment is bad if it arrives on a connection still in the LISTEN state", unless it brings a cookie.
    if ((flags & FLAG.ACK) !== 0) {
      if (!this.#openFromCookie(listener, segment)) this.#reset(segment);
      return;
    }
    // Third, check for a SYN. Fourth, anything else is dropped.
    if ((flags & FLAG.SYN) !== 0) this.#openPassive(listener, segment);
  }

  #listenerFor({ ip, dstPort }: Segment): TcpListener | undefined {
    const there = this.#listeners.get(dstPort);
    return (
      there?.find(({ local }) => local.ip === ip.dst) ??
      there?.find(({ local }) => isAny(local.ip) && versionOf(local.ip) === ip.version)
    );
  }

  #openPassive(listener: TcpListener, segment: Segment): void {
    // The program does not keep up: the client will ask again.
    if (listener.isFull) return;
    const { synCookies = 'flood' } = this.#options;
    const isFlooded = listener.opening.size >= listener.backlog;
    if (synCookies === 'always' || (isFlooded && synCookies === 'flood')) {
      listener.cookiesSinceNs = this.now();
      answerWithCookie(this.#jar(listener, segment), segment, (answer) => this.#send(answer));
      return;
    }
    if (isFlooded) return;
    const { socket, step } = this.#passiveSocket(listener, segment);
    const data = listener.fastOpen ? this.#fastOpenFor(segment) : undefined;
    if (data !== undefined) socket.block.fastOpenCookie = data.cookie;
    openPassive(socket.block, step, segment, data?.isGood === true);
    this.done(socket, step);
  }

  /** RFC 7413 section 4.1.2: a good cookie lets the SYN's data in; another, or the wish for one, is answered with one. */
  #fastOpenFor(
    segment: Segment,
  ): { readonly cookie: Uint8Array | undefined; readonly isGood: boolean } | undefined {
    const { fastOpen } = readSynOptions(segment);
    if (fastOpen === undefined) return undefined;
    const isGood = this.#fastOpen.isOwn(segment.ip.src, fastOpen);
    return { cookie: isGood ? undefined : this.#fastOpen.own(segment.ip.src), isGood };
  }

  #passiveSocket(listener: TcpListener, segment: Segment): { socket: TcpSocket; step: Step } {
    const { local, remote } = endsOf(segment);
    const options = this.#openOptions(local, remote, listener.settings);
    return this.#adopt(listener, new TcpSocket(newBlock(options, false, this.now()), this));
  }

  #adopt(listener: TcpListener, socket: TcpSocket): { socket: TcpSocket; step: Step } {
    this.#connections.add(socket);
    listener.opening.add(socket);
    this.#listenerOf.set(socket, listener);
    return { socket, step: newStep(this.now()) };
  }

  #jar(listener: TcpListener, segment: Segment): CookieJar {
    const { local, remote } = endsOf(segment);
    return {
      secret: this.#secret,
      nowNs: this.now(),
      options: this.#openOptions(local, remote, listener.settings),
    };
  }

  #openFromCookie(listener: TcpListener, segment: Segment): boolean {
    if (this.now() - listener.cookiesSinceNs > COOKIES_HOLD_NS) return false;
    const block = openFromCookie(this.#jar(listener, segment), segment);
    if (block === undefined) return false;
    if (listener.isFull) return true;
    const { socket, step } = this.#adopt(listener, new TcpSocket(block, this));
    segmentArrives(socket.block, step, segment);
    this.done(socket, step);
    return true;
  }

  #reset(segment: Segment): void {
    const reset = resetFor(segment, this.#settings.hopLimit);
    if (reset !== undefined) this.#send(reset);
  }

  #icmp(protocol: number, message: Uint8Array): void {
    const about = readIcmp(protocol, message);
    if (about === undefined) return;
    const { local, remote, news } = about;
    const socket = this.#connections.find(local.ip, local.port, remote.ip, remote.port);
    if (socket === undefined) return;
    const before = socket.block.pathMtu;
    const step = newStep(this.now());
    icmpArrives(socket.block, step, news);
    if (socket.block.pathMtu < before) this.#pathMtus.learn(remote.ip, socket.block.pathMtu, this.now());
    this.done(socket, step);
  }

  #send(segment: Segment): void {
    const { ip } = segment;
    if (ip.version === 4 && !ip.dontFragment) {
      // RFC 6864: what may be fragmented must be told apart.
      this.#identification = (this.#identification + 1) & 0xffff;
      this.#options.output(encode({ ...segment, ip: { ...ip, identification: this.#identification } }));
      return;
    }
    this.#options.output(encode(segment));
  }

  // What follows from a step

  done(socket: TcpSocket, step: Step): void {
    for (const segment of step.segments) this.#send(segment);
    const { block } = socket;
    for (const notice of step.notices) {
      if (notice.kind === 'state')
        this.#observe(block.local, block.remote, notice.from, notice.to, this.#remains(socket, notice.to));
      else if (notice.kind === 'lingers')
        this.#observe(
          block.local,
          block.remote,
          'TIME-WAIT',
          'TIME-WAIT',
          this.#remains(socket, 'TIME-WAIT'),
        );
    }
    if (block.state === 'CLOSED') this.#forget(socket);
    else this.#arm(socket);
    for (const notice of step.notices) {
      if (
        notice.kind === 'established' ||
        (notice.kind === 'state' && notice.to === 'SYN-RECEIVED' && block.isFastOpened)
      )
        this.#offer(socket);
      socket.tell(notice);
    }
  }

  #remains(socket: TcpSocket, state: TcpState): number | undefined {
    return state === 'TIME-WAIT' ? socket.block.timers.linger - this.now() : undefined;
  }

  #observe(
    local: SocketAddress,
    remote: SocketAddress,
    from: TcpState,
    to: TcpState,
    remainsNs?: number,
  ): void {
    this.#options.observe?.({
      atNs: this.now(),
      local,
      remote,
      from,
      to,
      ...(remainsNs === undefined ? {} : { remainsNs }),
    });
  }

  /** A passive opening is complete. */
  #offer(socket: TcpSocket): void {
    const listener = this.#listenerOf.get(socket);
    if (listener === undefined) return;
    this.#listenerOf.delete(socket);
    listener.opening.delete(socket);
    if (listener.isOpen) listener.offer(socket);
  }

  #forget(socket: TcpSocket): void {
    this.#connections.remove(socket);
    this.#armed.get(socket)?.timer.cancel();
    this.#armed.delete(socket);
    this.#listenerOf.get(socket)?.opening.delete(socket);
    this.#listenerOf.delete(socket);
  }

  #forgetListener(listener: TcpListener): void {
    const { port } = listener.local;
    const left = (this.#listeners.get(port) ?? []).filter((each) => each !== listener);
    if (left.length === 0) this.#listeners.delete(port);
    else this.#listeners.set(port, left);
    this.#observe(listener.local, { ip: listener.local.ip, port: 0 }, 'LISTEN', 'CLOSED');
  }

  /** One timer of the clock for all of a connection's. One that comes too early is cheaper than to move it with each segment. */
  #arm(socket: TcpSocket): void {
    const nextNs = socket.nextTimerNs;
    const armed = this.#armed.get(socket);
    if (armed !== undefined && armed.atNs <= nextNs) return;
    armed?.timer.cancel();
    if (nextNs === Number.POSITIVE_INFINITY) return;
    const timer = this.#options.clock.at(nextNs, () => this.#expire(socket));
    this.#armed.set(socket, { timer, atNs: nextNs });
  }

  #expire(socket: TcpSocket): void {
    this.#armed.delete(socket);
    const step = newStep(this.now());
    if (socket.nextTimerNs <= step.nowNs) expire(socket.block, step);
    this.done(socket, step);
  }

  /** Forgets all connections and listeners without a word to anybody, and stops all timers. */
  [Symbol.dispose](): void {
    for (const { timer } of this.#armed.values()) timer.cancel();
    this.#armed.clear();
    for (const socket of [...this.#connections]) this.#connections.remove(socket);
    this.#listeners.clear();
    this.#listenerOf.clear();
  }
}

const endsOf = ({ ip, srcPort, dstPort }: Segment): { local: SocketAddress; remote: SocketAddress } => ({
  local: { ip: ip.dst, port: dstPort },
  remote: { ip: ip.src, port: srcPort },
});

const versionOf = (ip: string): 4 | 6 => (ip.includes(':') ? 6 : 4);

const isAny = (ip: string): boolean => ip === ANY[4] || ip === ANY[6];

/** Multicast, and the limited broadcast. */
const isGroup = (ip: string): boolean => {
  if (ip.includes(':')) return ip.toLowerCase().startsWith('ff');
  const first = Number.parseInt(ip, 10);
  return first >= 224 && first < 240 ? true : ip === '255.255.255.255';
};
