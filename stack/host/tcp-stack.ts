/**
 * A host's TCP: packets in, packets out, and sockets for programs. It knows no device and no clock of its own: packets, time and
 * randomness are handed in, so that it runs the same in virtual time, in real time and in a simulation.
 */
import {
  decode,
  type EncodeOptions,
  encode,
  FLAG,
  type IpHeader,
  type Segment,
  type SeqNumber,
} from '../../harness/segment/index.js';
import {
  type ControlBlock,
  DEFAULT_SETTINGS,
  expire,
  icmpArrives,
  type Notice,
  newBlock,
  newStep,
  type OpenOptions,
  openActive,
  readSynOptions,
  resetFor,
  type SocketAddress,
  type Step,
  segmentArrives,
  segmentDataOctets,
  send,
  type TcpSettings,
  type TcpState,
} from '../tcp/index.js';
import { ANY, isAny, isGroup, versionOf } from './address.js';
import { ConnectionTable } from './connection-table.js';
import { FastOpenCookies } from './fast-open.js';
import { freePort } from './free-port.js';
import { readIcmp } from './icmp-message.js';
import { initialSequence, TimestampOffsets } from './initial-sequence.js';
import { KEY_OCTETS, KeyedHash } from './keyed-hash.js';
import { ListenerTable } from './listener-table.js';
import { PassiveOpenings } from './passive-opening.js';
import { PathMtus } from './path-mtus.js';
import { SocketTimers } from './socket-timers.js';
import {
  type ConnectOptions,
  type ListenOptions,
  StackError,
  type TcpStackOptions,
} from './stack-options.js';
import { TcpListener } from './tcp-listener.js';
import { type SocketHost, TcpSocket } from './tcp-socket.js';

const DEFAULT_MTU = 1500;
const BACKLOG = 128;

export class TcpStack implements SocketHost {
  readonly #options: TcpStackOptions;
  readonly #settings: TcpSettings;
  readonly #mtu: number;
  readonly #addresses: ReadonlySet<string>;
  readonly #connections = new ConnectionTable<TcpSocket>();
  readonly #listeners = new ListenerTable();
  readonly #timers: SocketTimers;
  readonly #openings: PassiveOpenings;
  readonly #secret: KeyedHash;
  readonly #timestampOffsets: TimestampOffsets;
  readonly #pathMtus = new PathMtus();
  readonly #fastOpen: FastOpenCookies;
  /** Those that have asked for Fast Open and are not open yet. */
  readonly #fastOpening = new Set<TcpSocket>();
  readonly #encoding: EncodeOptions;
  #identification = 0;

  constructor(options: TcpStackOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#mtu = options.mtu ?? DEFAULT_MTU;
    this.#addresses = new Set(options.addresses);
    const { offloadOctets = 0, packetMemory } = options;
    this.#encoding = {
      checksums: offloadOctets > 0 ? 'partial' : 'compute',
      ...(packetMemory === undefined ? {} : { into: packetMemory }),
    };
    this.#secret = new KeyedHash(options.randomBytes(KEY_OCTETS));
    this.#timestampOffsets = new TimestampOffsets(this.#secret);
    this.#fastOpen = new FastOpenCookies(new KeyedHash(options.randomBytes(KEY_OCTETS)));
    this.#timers = new SocketTimers(options.clock, (socket) => this.#expire(socket));
    this.#openings = new PassiveOpenings({
      synCookies: options.synCookies ?? 'flood',
      secret: this.#secret,
      fastOpen: this.#fastOpen,
      now: () => this.now(),
      openOptions: (local, remote, settings) => this.#openOptions(local, remote, settings),
      adopt: (block) => this.#adopt(block),
      done: (socket, step) => this.done(socket, step),
      transmit: (segment) => this.#send(segment),
      reset: (segment) => this.#reset(segment),
    });
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
    return [...this.#listeners];
  }

  // OPEN

  listen({ ip, port = 0, backlog = BACKLOG, settings, fastOpen = false }: ListenOptions = {}): TcpListener {
    const address = ip ?? ANY[versionOf(this.#options.addresses[0] ?? '')];
    if (ip !== undefined && !isAny(ip) && !this.#addresses.has(ip))
      throw new StackError('EADDRNOTAVAIL', `${ip} is no address of this host`);
    const chosen = port === 0 ? this.#freePort((each) => !this.#listeners.hasPort(each)) : port;
    if (this.#listeners.isTaken({ ip: address, port: chosen }))
      throw new StackError('EADDRINUSE', `something listens at port ${chosen} already`);
    const listener = new TcpListener({
      local: { ip: address, port: chosen },
      settings: { ...this.#settings, ...settings },
      backlog: Math.max(backlog, 1),
      fastOpen,
      closed: (gone) => this.#forgetListener(gone),
    });
    this.#listeners.add(listener);
    this.#observe(listener.local, { ip: address, port: 0 }, 'CLOSED', 'LISTEN');
    return listener;
  }

  connect(to: SocketAddress, options: ConnectOptions = {}): TcpSocket {
    const local = this.#localFor(to, options.from);
    const settings =
      options.settings === undefined ? this.#settings : { ...this.#settings, ...options.settings };
    const wantsFastOpen = options.fastOpen === true && !this.#fastOpen.isSpared(to.ip, this.now());
    const block = newBlock(
      {
        ...this.#openOptions(local, to, settings),
        ...(wantsFastOpen ? { fastOpenCookie: this.#fastOpen.of(to.ip) } : {}),
      },
      true,
      this.now(),
    );
    const socket = this.#adopt(block);
    if (wantsFastOpen) this.#fastOpening.add(socket);
    const step = newStep(this.now());
    // SEND before OPEN has left: what is queued may travel on the SYN.
    block.state = 'SYN-SENT';
    if (options.data !== undefined) send(block, step, options.data);
    block.state = 'CLOSED';
    openActive(block, step);
    this.done(socket, step);
    return socket;
  }

  /** Data may travel on a SYN to this host: it has given a cookie (RFC 7413 section 4.2.1). */
  hasFastOpenCookie(serverIp: string): boolean {
    return this.#fastOpen.of(serverIp).length > 0;
  }

  #localFor(to: SocketAddress, from: Partial<SocketAddress> = {}): SocketAddress {
    if (isGroup(to.ip) || isAny(to.ip))
      throw new StackError('ENETUNREACH', `there is no TCP with ${to.ip}: give the address of one host`);
    const version = versionOf(to.ip);
    const own = this.#options.addresses.find((each) => versionOf(each) === version);
    const ip = from.ip ?? own;
    if (ip === undefined || versionOf(ip) !== version)
      throw new StackError('ENETUNREACH', `this host has no IPv${version} address to reach ${to.ip} from`);
    if (!this.#addresses.has(ip)) throw new StackError('EADDRNOTAVAIL', `${ip} is no address of this host`);
    const isFree = (port: number): boolean =>
      this.#connections.find(ip, port, to.ip, to.port) === undefined && !this.#listeners.hasPort(port);
    const { port = 0 } = from;
    if (port === 0) return { ip, port: this.#freePort(isFree) };
    if (this.#connections.find(ip, port, to.ip, to.port) !== undefined)
      throw new StackError(
        'EADDRINUSE',
        `there is a connection from port ${port} to ${to.ip} port ${to.port} already`,
      );
    return { ip, port };
  }

  #freePort(isFree: (port: number) => boolean): number {
    return freePort(this.#options.randomBytes, isFree, this.#options.ports);
  }

  #adopt(block: ControlBlock): TcpSocket {
    const socket = new TcpSocket(block, this);
    this.#connections.add(socket);
    return socket;
  }

  #openOptions(local: SocketAddress, remote: SocketAddress, settings: TcpSettings): OpenOptions {
    const nowNs = this.now();
    const pathMtu = this.#pathMtus.get(remote.ip, nowNs);
    const ipVersion = versionOf(remote.ip);
    return {
      local,
      remote,
      ipVersion,
      settings,
      iss: initialSequence(this.#secret, local, remote, nowNs),
      tsOffset: this.#timestampOffsets.of(local.ip, remote.ip),
      linkMtu: this.#mtu,
      offloadOctets: this.#options.offloadOctets ?? 0,
      // RFC 6437: hard to guess, and the same for all of a connection's packets.
      flowLabel: ipVersion === 4 ? 0 : this.#secret.ofPair('flow', local, remote) & 0xfffff,
      ...(pathMtu === undefined ? {} : { pathMtu }),
      ...this.#options.initialNumbers?.(local, remote),
    };
  }

  // Packets

  /** A packet has come. Its octets are not kept. `trust`: whoever brings it vouches for its checksums. */
  input(packet: Uint8Array, checksums: 'verify' | 'trust' = 'verify'): void {
    const decoded = decode(packet, { checksums });
    switch (decoded.kind) {
      case 'segment': {
        const { checksumOk, segment } = decoded;
        // RFC 9293 MUST-3: what is damaged is as good as lost.
        if (checksumOk.ip && checksumOk.tcp) this.#segment(segment);
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
      if (this.#isForUs(ip)) this.#segmentForNobody(segment);
      return;
    }
    // A port at which nobody listens any more is none to open anew: TIME-WAIT goes on.
    const isListened = socket.state !== 'TIME-WAIT' || this.#listeners.find(ip.dst, dstPort) !== undefined;
    const step = newStep(this.now());
    const hadCookie = socket.block.fastOpenCookie;
    segmentArrives(socket.block, step, segment, isListened);
    if (hadCookie !== undefined && (segment.flags & FLAG.SYN) !== 0) this.#keepCookie(segment);
    this.done(socket, step);
    // RFC 6191: the old connection has made room for a new one.
    for (const notice of step.notices)
      if (notice.kind === 'reincarnation') this.#segmentForNobody(segment, notice.sndNxt);
  }

  #keepCookie(segment: Segment): void {
    const { fastOpen } = readSynOptions(segment);
    if (fastOpen !== undefined && fastOpen.length > 0) this.#fastOpen.keep(segment.ip.src, fastOpen);
  }

  /** CLOSED and LISTEN of RFC 9293 sections 3.10.7.1 and 3.10.7.2. */
  #segmentForNobody(segment: Segment, above?: SeqNumber): void {
    const { ip, srcPort, dstPort } = segment;
    // MUST-63: from this very host, which has sent no such thing.
    const isOwn = this.#addresses.has(ip.src);
    if (isOwn && this.#connections.find(ip.src, srcPort, ip.dst, dstPort) === undefined) return;
    const listener = this.#listeners.find(ip.dst, dstPort);
    if (listener === undefined) this.#reset(segment);
    else this.#openings.segmentArrives(listener, segment, above);
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

  #send(segment: Segment, segmentOctets = 0): void {
    const { ip } = segment;
    const { output } = this.#options;
    const how = this.#encoding;
    if (ip.version === 4 && !ip.dontFragment) {
      // RFC 6864: what may be fragmented must be told apart.
      this.#identification = (this.#identification + 1) & 0xffff;
      output(encode({ ...segment, ip: { ...ip, identification: this.#identification } }, how), segmentOctets);
      return;
    }
    output(encode(segment, how), segmentOctets);
  }

  // What follows from a step

  done(socket: TcpSocket, step: Step): void {
    const { block } = socket;
    for (const segment of step.segments) this.#send(segment, segmentDataOctets(block, segment));
    for (const notice of step.notices) this.#heed(socket, notice);
    if (block.state === 'CLOSED') this.#forget(socket);
    else this.#timers.arm(socket);
    for (const notice of step.notices) {
      const isEarly = notice.kind === 'state' && notice.to === 'SYN-RECEIVED' && block.isFastOpened;
      if (notice.kind === 'established' || isEarly) this.#openings.completed(socket);
      socket.tell(notice);
    }
  }

  /** What the host itself makes of a notice. */
  #heed(socket: TcpSocket, notice: Notice): void {
    const { local, remote, counts } = socket.block;
    switch (notice.kind) {
      case 'state':
        this.#observe(local, remote, notice.from, notice.to, this.#remains(socket, notice.to));
        return;
      case 'lingers':
        this.#observe(local, remote, 'TIME-WAIT', 'TIME-WAIT', this.#remains(socket, 'TIME-WAIT'));
        return;
      case 'troubled':
        this.#options.advise?.({ remote, retries: notice.retries });
        return;
      case 'established':
        // RFC 7413 section 4.1.3.1.
        if (this.#fastOpening.delete(socket) && counts.timeouts > 0)
          this.#fastOpen.spare(remote.ip, this.now());
        return;
      default:
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

  #forget(socket: TcpSocket): void {
    this.#connections.remove(socket);
    this.#timers.cancel(socket);
    this.#openings.forget(socket);
    this.#fastOpening.delete(socket);
  }

  #forgetListener(listener: TcpListener): void {
    this.#listeners.remove(listener);
    this.#observe(listener.local, { ip: listener.local.ip, port: 0 }, 'LISTEN', 'CLOSED');
  }

  #expire(socket: TcpSocket): void {
    const step = newStep(this.now());
    if (socket.nextTimerNs <= step.nowNs) expire(socket.block, step);
    this.done(socket, step);
  }

  /** Forgets all connections and listeners without a word to anybody, and stops all timers. */
  [Symbol.dispose](): void {
    this.#timers.cancelAll();
    for (const socket of [...this.#connections]) this.#connections.remove(socket);
    this.#listeners.clear();
    this.#openings.clear();
  }
}
