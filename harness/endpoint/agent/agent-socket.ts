/** A TCP socket that an agent drives. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../clock/index.js';
import {
  type Address,
  type MessageFlag,
  type PollEvents,
  type Received,
  SocketError,
  Unsupported,
} from '../endpoint.js';
import type { Accepted, MessageOptions, Outcome, Queues, SocketDriver } from '../socket-driver.js';
import type { SocketOption } from '../socket-options.js';
import { decodeTcpInfo, type TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { stateOfNumber } from './agent-events.js';
import type { AgentLink } from './agent-link.js';
import { kindOf, valueReceived, valueToSend } from './agent-option-value.js';
import {
  flagBits,
  OPTION_KINDS,
  type ReplyBody,
  type RequestBody,
  type RequestName,
  SHUTDOWN_HOW,
} from './agent-requests.js';
import { sendIn } from './agent-send.js';
import { AgentWait } from './agent-wait.js';

/** What all sockets of one endpoint share. */
export interface AgentContext {
  readonly client: AgentLink;
  readonly clock: Clock;
  /** `uname -r` where the stack is Linux: its releases differ in `struct tcp_info`. */
  readonly release?: string | undefined;
}

export interface AgentSocketStart {
  readonly handle: number;
  readonly local: Address;
  /** It has a linger time, so that its close may wait. */
  readonly lingers: boolean;
}

const INFO_LINUX = 1;

export class AgentSocket implements SocketDriver {
  readonly #context: AgentContext;
  readonly #waits = new Set<Pick<AgentWait<unknown>, 'ending' | 'abandon'>>();
  #handle: number | undefined;
  #local: Outcome<Address>;
  #lingers: boolean;

  constructor(context: AgentContext, { handle, local, lingers }: AgentSocketStart) {
    this.#context = context;
    this.#handle = handle;
    this.#local = local;
    this.#lingers = lingers;
  }

  async bind(at: Address): Promise<void> {
    this.#local = (await this.#ask('BIND', { address: at }, 'bind', `${at.ip} port ${at.port}`)).local;
  }

  async listen(at: Address, backlog: number): Promise<Address> {
    await this.bind(at);
    const { local } = await this.#ask('LISTEN', { backlog }, 'listen');
    this.#local = local;
    return local;
  }

  connect(to: Address, withinMs: number): Promise<void> {
    return this.#wait<void>('connect', withinMs, (wait, handle) => {
      const before = this.#local;
      let begun: (local: Outcome<Address>) => void = () => {};
      this.#local = new Promise((resolve) => {
        begun = resolve;
      });
      const as = { call: 'connect' };
      // Refused at once, there is nothing to wait for: the answer to ESTABLISHED comes late.
      this.#context.client.post(
        'CONNECT',
        { handle, body: { address: to }, as },
        {
          answered: ({ local }) => begun(local),
          failed: (error) => {
            begun(before);
            wait.fail(error);
          },
        },
      );
      wait.ask(
        'ESTABLISHED',
        { handle, body: {}, as },
        {
          answered: ({ local }) => {
            this.#local = local;
            wait.done();
          },
        },
      );
    });
  }

  localAddress(): Outcome<Address> {
    return this.#local;
  }

  accept(withinMs: number): Promise<Accepted> {
    return this.#wait<Accepted>('accept', withinMs, (wait, handle) => {
      wait.ask(
        'ACCEPT',
        { handle, body: {}, as: { call: 'accept' } },
        {
          answered: ({ socket, local, remote }) => {
            const lingers = this.#lingers;
            const driver = new AgentSocket(this.#context, { handle: socket, local, lingers });
            wait.done({ driver, local, remote });
          },
          late: ({ socket }) => this.#drop(socket),
        },
      );
    });
  }

  send(octets: Uint8Array, { flags, withinMs }: MessageOptions): Promise<number> {
    const mostOctets = this.#context.client.mostData;
    return this.#wait<number>('send', limitOf(flags, withinMs), (wait, handle) =>
      sendIn(wait, { handle, octets, flags, mostOctets }),
    );
  }

  receive(most: number, { flags, withinMs }: MessageOptions): Promise<Received> {
    return this.#wait<Received>('receive', limitOf(flags, withinMs), (wait, handle) => {
      const body = { most: Math.min(most, this.#context.client.mostData), flags: flagBits(flags) };
      wait.ask(
        'RECEIVE',
        { handle, body, as: { call: 'receive' } },
        {
          answered: ({ isEnd, data }) => wait.done(isEnd ? { kind: 'end' } : { kind: 'data', data }),
        },
      );
    });
  }

  async shutdown(how: 'read' | 'write' | 'both'): Promise<void> {
    await this.#ask('SHUTDOWN', { how: SHUTDOWN_HOW[how] }, 'shutdown');
  }

  async setOption(option: SocketOption, value: number | string): Promise<void> {
    const { name } = option;
    await this.#ask('SET_OPTION', { name, value: valueToSend(option, value) }, 'setsockopt', name);
    if (name === 'SO_LINGER') this.#lingers = Number(value) > 0;
  }

  async getOption(option: SocketOption): Promise<number | string> {
    const kind = OPTION_KINDS[kindOf(option)];
    const { value } = await this.#ask('GET_OPTION', { name: option.name, kind }, 'getsockopt', option.name);
    return valueReceived(option, value);
  }

  async info(): Promise<TcpInfo> {
    const { kind, octets } = await this.#ask('INFO', {}, 'getsockopt', 'TCP_INFO');
    if (kind === INFO_LINUX) return decodeTcpInfo(octets, this.#context.release);
    throw new Unsupported('this stack tells the state of a connection and nothing more of it');
  }

  async state(): Promise<TcpState> {
    const { kind, state, octets } = await this.#ask('INFO', {}, 'getsockopt', 'TCP_INFO');
    const known =
      kind === INFO_LINUX ? decodeTcpInfo(octets, this.#context.release).state : stateOfNumber(state);
    if (known === undefined) throw new Unsupported('this stack does not tell the state of a connection');
    return known;
  }

  queues(): Promise<Queues> {
    return this.#ask('QUEUES', {}, 'ioctl(SIOCINQ)');
  }

  async isAtUrgentMark(): Promise<boolean> {
    return (await this.#ask('AT_MARK', {}, 'ioctl(SIOCATMARK)')).isAtMark;
  }

  async takeError(): Promise<string | undefined> {
    const { errno } = await this.#ask('ERROR', {}, 'getsockopt', 'SO_ERROR');
    return errno === '' ? undefined : errno;
  }

  async poll(): Promise<PollEvents> {
    const { events } = await this.#ask('POLL', {}, 'poll');
    return {
      readable: (events & 1) !== 0,
      writable: (events & 2) !== 0,
      urgent: (events & 4) !== 0,
      peerClosed: (events & 8) !== 0,
      hungUp: (events & 16) !== 0,
      error: (events & 32) !== 0,
    };
  }

  close(): Promise<void> {
    return this.#end('CLOSE', 'close');
  }

  abort(): Promise<void> {
    return this.#end('ABORT', 'abort');
  }

  async dispose(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    const { client } = this.#context;
    const off = { name: 'SO_LINGER', value: { kind: 'number', number: -1 } } as const;
    const unlingered = this.#lingers ? client.request('SET_OPTION', { handle, body: off }) : undefined;
    this.#lingers = false;
    // Whatever goes wrong here, the socket is gone, or the agent with it.
    await Promise.allSettled([unlingered, this.close()]);
  }

  /** Nobody wants this one any more, and nobody waits for its end. */
  #drop(handle: number): void {
    this.#context.client.post('ABORT', { handle, body: {} }, { answered: () => {}, failed: () => {} });
  }

  async #end(name: 'CLOSE' | 'ABORT', call: string): Promise<void> {
    const handle = this.#openHandle(call);
    this.#handle = undefined;
    const waits = [...this.#waits];
    for (const wait of waits) wait.ending();
    const abandon = () => {
      for (const wait of waits) wait.abandon();
    };
    // They end with the socket, after its close; but a linger time is not theirs to wait for.
    if (name === 'CLOSE' && this.#lingers) abandon();
    await new Promise<void>((resolve, reject) => {
      this.#context.client.post(
        name,
        { handle, body: {}, as: { call } },
        {
          answered: () => {
            resolve();
            abandon();
          },
          failed: (error) => {
            reject(error);
            abandon();
            this.#drop(handle);
          },
        },
      );
    });
  }

  #openHandle(call: string): number {
    if (this.#handle === undefined) throw new SocketError('EBADF', call, 'this socket has been closed');
    return this.#handle;
  }

  /** A request that the agent answers at once. */
  #ask<N extends RequestName>(
    name: N,
    body: RequestBody<N>,
    call: string,
    detail?: string,
  ): Promise<ReplyBody<N>> {
    return this.#wait<ReplyBody<N>>(call, undefined, (wait, handle) => {
      wait.ask(name, { handle, body, as: { call, detail } }, { answered: (reply) => wait.done(reply) });
    });
  }

  #wait<T>(
    call: string,
    withinMs: number | undefined,
    begin: (wait: AgentWait<T>, handle: number) => void,
  ): Promise<T> {
    const handle = this.#openHandle(call);
    const { client, clock } = this.#context;
    const wait = new AgentWait<T>({ client, clock, call, withinMs });
    this.#waits.add(wait);
    try {
      begin(wait, handle);
    } catch (error) {
      wait.fail(error);
    }
    return wait.settled.finally(() => this.#waits.delete(wait));
  }
}

/** What may not wait needs no limit. */
const limitOf = (flags: readonly MessageFlag[], withinMs: number): number | undefined =>
  flags.includes('DONTWAIT') ? undefined : withinMs;

/** What a socket has before it has an address. */
export const anyAddress = (ip: string): Address => ({ ip: isIPv6(ip) ? '::' : '0.0.0.0', port: 0 });
