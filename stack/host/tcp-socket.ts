/** A connection as programs see it, bare: calls that never wait, and a listener for what happens. Streams and socket APIs are made of it. */
import {
  abort,
  advance,
  type ConnectionStatus,
  type ControlBlock,
  canSend,
  close,
  hasEnded,
  type Notice,
  newStep,
  nextTimerNs,
  peek,
  readNext,
  receive,
  release,
  type SendOptions,
  type SocketAddress,
  type Step,
  send,
  status,
  type TcpError,
  type TcpEvent,
  type TcpSettings,
  type TcpState,
} from '../tcp/index.js';
import type { Paired } from './connection-table.js';

/** What a stack does for its sockets. */
export interface SocketHost {
  now(): number;
  /** Segments leave, timers are set, observers and the table are told, then the program. */
  done(socket: TcpSocket, step: Step): void;
}

export class TcpSocket implements Paired {
  readonly block: ControlBlock;
  readonly #host: SocketHost;
  /** Called for each thing that happens to the connection, after the segments that it caused have left. */
  onNotice: ((notice: Notice) => void) | undefined;
  #error: TcpError | undefined;

  constructor(block: ControlBlock, host: SocketHost) {
    this.block = block;
    this.#host = host;
  }

  get local(): SocketAddress {
    return this.block.local;
  }

  get remote(): SocketAddress {
    return this.block.remote;
  }

  get state(): TcpState {
    return this.block.state;
  }

  /** STATUS of RFC 9293 section 3.9.1.5. */
  get status(): ConnectionStatus {
    return status(this.block);
  }

  /** Why the connection ended before its time. */
  get error(): TcpError | undefined {
    return this.#error;
  }

  /** SEND is possible: open, or opening, and not closed by this side. */
  get canSend(): boolean {
    return canSend(this.block);
  }

  /** Octets that SEND takes now. */
  get sendRoom(): number {
    return Math.max(this.block.settings.sendBufferOctets - this.block.sendOctets, 0);
  }

  /** Octets that RECEIVE gives now. */
  get available(): number {
    return this.block.receiveOctets;
  }

  /** The other side's FIN has come, and all before it has been received. */
  get isAtEnd(): boolean {
    return this.block.receiveOctets === 0 && (hasEnded(this.block) || this.#sawEnd);
  }

  #sawEnd = false;

  /** How many octets from here urgent data ends: 1 when the next octet is the urgent one; undefined when there is none ahead. */
  get urgentAhead(): number | undefined {
    const { block } = this;
    return block.isUrgentReceived ? (block.rcvUp - readNext(block)) | 0 : undefined;
  }

  /** Octets taken; fewer than given when the buffer is full, and then `writable` follows. */
  send(data: Uint8Array, options?: SendOptions): number {
    const step = this.#begin();
    const taken = send(this.block, step, data, options);
    this.#host.done(this, step);
    return taken;
  }

  /** At most `most` octets of what is there; none when nothing is. */
  receive(most: number): Uint8Array {
    const step = this.#begin();
    const data = receive(this.block, step, most);
    this.#host.done(this, step);
    return data;
  }

  /** Copies what is there, from the `at`-th octet on. */
  peek(at: number, most: number): Uint8Array {
    return peek(this.block, at, most);
  }

  /** CLOSE of RFC 9293 section 3.10.4: sends no more, and goes on receiving. */
  shutdown(): void {
    this.#do(close);
  }

  /** Closes, and receives no more. */
  close(): void {
    this.#do(release);
  }

  /** ABORT of section 3.10.5. */
  abort(): void {
    this.#do(abort);
  }

  change(settings: Partial<TcpSettings>): void {
    this.handle({ kind: 'settings', settings });
  }

  /** Hands an event to the machine. */
  handle(event: TcpEvent): void {
    const step = this.#begin();
    advance(this.block, step, event);
    this.#host.done(this, step);
  }

  /** For the stack: something has happened. */
  tell(notice: Notice): void {
    if (notice.kind === 'failed') this.#error ??= notice.error;
    if (notice.kind === 'end') this.#sawEnd = true;
    this.onNotice?.(notice);
  }

  get nextTimerNs(): number {
    return nextTimerNs(this.block);
  }

  #begin(): Step {
    return newStep(this.#host.now());
  }

  #do(call: (block: ControlBlock, step: Step) => void): void {
    const step = this.#begin();
    call(this.block, step);
    this.#host.done(this, step);
  }
}
