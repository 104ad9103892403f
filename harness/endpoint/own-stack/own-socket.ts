/** A socket of the project's own TCP: what socket calls do in each of its lives, from fresh to listening or connected to closed. */
import { constants } from 'node:os';
import {
  effectiveMss,
  StackError,
  type TcpListener,
  type TcpSocket,
  type TcpStack,
} from '../../../stack/index.js';
import { type Address, type PollEvents, type Received, SocketError } from '../endpoint.js';
import type { Lingering, PolledAccepted, PolledSocket, ReceiveAttempt } from '../polled-socket.js';
import type { Queues } from '../socket-driver.js';
import type { SocketOption } from '../socket-options.js';
import type { TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { OwnConnection } from './own-connection.js';
import { freshInfo, infoOf } from './own-info.js';
import { type OptionBase, OwnOptions } from './own-options.js';

/** What all sockets of one endpoint share. */
export interface OwnContext extends OptionBase {
  readonly stack: TcpStack;
}

type Life =
  | { readonly kind: 'fresh' }
  /** TCP_FASTOPEN_CONNECT: the SYN waits for the data that it may carry. */
  | { readonly kind: 'deferred'; readonly to: Address }
  | { readonly kind: 'listening'; readonly listener: TcpListener }
  | { readonly kind: 'connected'; readonly connection: OwnConnection }
  | { readonly kind: 'closed' };

const FRESH: Life = { kind: 'fresh' };
const QUIET: PollEvents = {
  readable: false,
  writable: false,
  urgent: false,
  peerClosed: false,
  hungUp: false,
  error: false,
};

/** Those in which all that this side sent has been acknowledged, its FIN too. */
const ACKNOWLEDGED: ReadonlySet<TcpState> = new Set(['FIN-WAIT-2', 'TIME-WAIT', 'CLOSED']);

const errnoNumber = (name: string | undefined): number =>
  Object.entries(constants.errno).find(([each]) => each === name)?.[1] ?? 0;

export class OwnSocket implements PolledSocket {
  readonly #context: OwnContext;
  readonly #options: OwnOptions;
  #changed: () => void = () => {};
  #life: Life = FRESH;
  #bound: Address;

  constructor(context: OwnContext, options = new OwnOptions(context)) {
    this.#context = context;
    this.#options = options;
    this.#bound = { ip: context.ipVersion === 6 ? '::' : '0.0.0.0', port: 0 };
  }

  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  bind(at: Address): void {
    if (this.#alive('bind').kind !== 'fresh') throw new SocketError('EINVAL', 'bind');
    if (at.port !== 0 && this.#isTaken(at.port))
      throw new SocketError('EADDRINUSE', 'bind', `${at.ip} port ${at.port}`);
    this.#bound = at;
  }

  /** A connection that is not over holds its port, one in TIME-WAIT too, but for a socket that says SO_REUSEADDR. */
  #isTaken(port: number): boolean {
    const { stack } = this.#context;
    if (stack.listeners.some(({ local }) => local.port === port)) return true;
    return !this.#options.mayReuseAddress && [...stack.sockets].some(({ local }) => local.port === port);
  }

  listen(at: Address, backlog: number): Address {
    this.#options.checkForListener();
    this.bind(at);
    const { fastOpenQueue, settings } = this.#options;
    const listener = this.#called('listen', () =>
      // As in Linux, one more than the backlog may wait.
      this.#context.stack.listen({ ...at, backlog: backlog + 1, settings, fastOpen: fastOpenQueue > 0 }),
    );
    listener.onConnection = () => this.#changed();
    this.#life = { kind: 'listening', listener };
    this.#options.follow(listener);
    return listener.local;
  }

  connect(to: Address): void {
    const life = this.#alive('connect');
    if (life.kind !== 'fresh') throw new SocketError('EISCONN', 'connect');
    if (this.#options.isFastOpen && this.#context.stack.hasFastOpenCookie(to.ip))
      this.#life = { kind: 'deferred', to };
    else this.#open(to);
  }

  established(): true | undefined {
    const life = this.#alive('connect');
    return life.kind === 'deferred' ? true : this.#connection('connect', 'ENOTCONN').established();
  }

  #open(to: Address, data?: Uint8Array): OwnConnection {
    const { ip, port } = this.#bound;
    const from = { port, ...(port === 0 ? {} : { ip }) };
    const { settings, isFastOpen } = this.#options;
    const options = { from, settings, fastOpen: isFastOpen, ...(data === undefined ? {} : { data }) };
    return this.#connect(this.#called('connect', () => this.#context.stack.connect(to, options)));
  }

  /** What a SYN that waited takes along, and what is queued behind it. */
  #openWith(octets: Uint8Array): number {
    const life = this.#alive('send');
    return life.kind === 'deferred' ? this.#open(life.to, octets).socket.block.sendOctets : 0;
  }

  #connect(socket: TcpSocket): OwnConnection {
    const connection = new OwnConnection(socket, () => this.#changed());
    connection.isUrgentInline = this.#options.isUrgentInline;
    this.#life = { kind: 'connected', connection };
    this.#options.follow(socket);
    return connection;
  }

  /** A call that the stack may refuse. */
  #called<T>(call: string, step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (error instanceof StackError) throw new SocketError(error.code, call, error.message);
      throw error;
    }
  }

  localAddress(): Address {
    const life = this.#alive('getsockname');
    if (life.kind === 'listening') return life.listener.local;
    return life.kind === 'connected' ? life.connection.socket.local : this.#bound;
  }

  tryAccept(): PolledAccepted | undefined {
    const life = this.#alive('accept');
    if (life.kind !== 'listening') throw new SocketError('EINVAL', 'accept');
    const connection = life.listener.accept();
    if (connection === undefined) return undefined;
    const socket = new OwnSocket(this.#context, this.#options.inherited());
    socket.#connect(connection);
    return { socket, local: connection.local, remote: connection.remote };
  }

  trySend(
    octets: Uint8Array,
    options: { readonly isUrgent: boolean; readonly hasMore: boolean },
  ): number | undefined {
    let sent = this.#openWith(octets);
    if (sent > 0 && sent === octets.length) return sent;
    const connection = this.#connection('send', 'EPIPE');
    for (;;) {
      const taken = connection.send(octets.subarray(sent), options);
      sent += taken ?? 0;
      if (taken !== undefined && sent === octets.length) return sent;
      if (taken === undefined || taken === 0) return sent > 0 ? sent : undefined;
    }
  }

  tryReceive(most: number, { isUrgent, isPeek, mayWait }: ReceiveAttempt): Received | undefined {
    const connection = this.#connection('receive', 'ENOTCONN');
    const options = { most, isPeek, mayWait };
    return isUrgent ? connection.receiveUrgent(options) : connection.receive(options);
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    const life = this.#alive('shutdown');
    if (life.kind === 'fresh') throw new SocketError('ENOTCONN', 'shutdown');
    if (life.kind === 'connected') life.connection.shutdown(how);
    // A listener that receives no more connections is none any more.
    else if (life.kind === 'listening' && how !== 'write') {
      life.listener.close();
      this.#life = FRESH;
      this.#changed();
    }
  }

  setOption(option: SocketOption, value: number | string): void {
    const life = this.#alive('setsockopt');
    this.#options.set(option.name, value);
    if (life.kind === 'connected') life.connection.isUrgentInline = this.#options.isUrgentInline;
  }

  getOption(option: SocketOption): number | string {
    const life = this.#alive('getsockopt');
    if (option.name === 'SO_ERROR') return errnoNumber(this.takeError());
    if (option.name === 'SO_ACCEPTCONN') return Number(life.kind === 'listening');
    if (life.kind === 'connected') {
      const { block } = life.connection.socket;
      if (option.name === 'TCP_MAXSEG') return effectiveMss(block);
      if (option.name === 'IP_MTU' || option.name === 'IPV6_MTU') return block.pathMtu;
    }
    return this.#options.get(option.name);
  }

  info(): TcpInfo {
    const life = this.#alive('getsockopt');
    const nowNs = this.#context.stack.now();
    if (life.kind === 'connected') return infoOf(life.connection.socket.block, nowNs);
    const info = freshInfo(this.#bound, this.#options.inForce, nowNs);
    if (life.kind !== 'listening') return info;
    const { waiting, backlog } = life.listener;
    return { ...info, state: 'LISTEN', unacked: waiting, sacked: backlog };
  }

  state(): TcpState {
    return this.info().state;
  }

  queues(): Queues {
    const life = this.#alive('ioctl(SIOCINQ)');
    if (life.kind === 'listening') throw new SocketError('EINVAL', 'ioctl(SIOCINQ)');
    if (life.kind !== 'connected') return { recvOctets: 0, sendOctets: 0, unsentOctets: 0 };
    return life.connection.queues();
  }

  isAtUrgentMark(): boolean {
    const life = this.#alive('ioctl(SIOCATMARK)');
    return life.kind === 'connected' && life.connection.isAtMark;
  }

  get pendingError(): string | undefined {
    const life = this.#life;
    return life.kind === 'connected' ? life.connection.pendingError : undefined;
  }

  takeError(): string | undefined {
    const life = this.#alive('getsockopt');
    return life.kind === 'connected' ? life.connection.takeError() : undefined;
  }

  poll(): PollEvents {
    const life = this.#alive('poll');
    if (life.kind === 'connected') return life.connection.poll();
    if (life.kind === 'listening') return { ...QUIET, readable: life.listener.waiting > 0 };
    return { ...QUIET, writable: true, hungUp: true };
  }

  close(): Lingering | undefined {
    const life = this.#end('close');
    if (life.kind === 'listening') life.listener.close();
    if (life.kind !== 'connected') return undefined;
    const { lingerSeconds } = this.#options;
    const { socket } = life.connection;
    if (lingerSeconds === 0) socket.abort();
    else socket.close();
    const isOver = (): boolean => ACKNOWLEDGED.has(socket.state);
    return lingerSeconds > 0 && !isOver() ? { mostMs: lingerSeconds * 1000, isOver } : undefined;
  }

  abort(): void {
    const life = this.#end('abort');
    if (life.kind === 'listening') life.listener.close();
    if (life.kind === 'connected') life.connection.socket.abort();
  }

  dispose(): void {
    if (this.#life.kind === 'closed') return;
    this.#options.lingerSeconds = -1;
    this.close();
  }

  #end(call: string): Life {
    const life = this.#alive(call);
    this.#life = { kind: 'closed' };
    return life;
  }

  #connection(call: string, otherwise: string): OwnConnection {
    const life = this.#alive(call);
    if (life.kind === 'connected') return life.connection;
    throw new SocketError(otherwise, call);
  }

  #alive(call: string): Exclude<Life, { kind: 'closed' }> {
    if (this.#life.kind === 'closed') throw new SocketError('EBADF', call, 'this socket has been closed');
    return this.#life;
  }
}
