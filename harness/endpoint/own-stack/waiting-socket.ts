/** Makes a driver of sockets out of those whose calls never wait: whoever waits tries again whenever something has happened. */
import type { Clock } from '../../clock/index.js';
import { type Address, type PollEvents, type Received, SocketError } from '../endpoint.js';
import type { Lingering, PolledSocket } from '../polled-socket.js';
import type { Accepted, MessageOptions, Outcome, Queues, SocketDriver } from '../socket-driver.js';
import type { SocketOption } from '../socket-options.js';
import type { TcpInfo } from '../tcp-info.js';
import type { TcpState } from '../tcp-state.js';
import { Waits } from './waits.js';

export class WaitingSocket implements SocketDriver {
  readonly #socket: PolledSocket;
  readonly #clock: Clock;
  readonly #waits: Waits;

  constructor(socket: PolledSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#waits = new Waits(clock);
    socket.onChange(() => this.#waits.wake());
  }

  bind(at: Address): void {
    this.#socket.bind(at);
  }

  listen(at: Address, backlog: number): Address {
    return this.#socket.listen(at, backlog);
  }

  connect(to: Address, withinMs: number): Promise<void> {
    this.#socket.connect(to);
    return this.#waits.until<true>('connect', withinMs, () => this.#socket.established()).then(() => {});
  }

  localAddress(): Address {
    return this.#socket.localAddress();
  }

  accept(withinMs: number): Promise<Accepted> {
    return this.#waits.until<Accepted>('accept', withinMs, () => {
      const accepted = this.#socket.tryAccept();
      if (accepted === undefined) return undefined;
      const { socket, local, remote } = accepted;
      return { driver: new WaitingSocket(socket, this.#clock), local, remote };
    });
  }

  async send(octets: Uint8Array, { flags, withinMs }: MessageOptions): Promise<number> {
    const options = { isUrgent: flags.includes('OOB'), hasMore: flags.includes('MORE') };
    let sent = 0;
    const more = (): number | undefined => {
      const taken = this.#socket.trySend(octets.subarray(sent), options);
      sent += taken ?? 0;
      if (taken !== undefined && sent === octets.length) return sent;
      if (!flags.includes('DONTWAIT')) return undefined;
      if (sent === 0) throw new SocketError('EAGAIN', 'send');
      return sent;
    };
    try {
      return await this.#waits.until('send', withinMs, more);
    } catch (error) {
      // What has been taken is the result, as with SO_SNDTIMEO.
      if (sent > 0 && !(error instanceof SocketError)) return sent;
      throw error;
    }
  }

  receive(most: number, { flags, withinMs }: MessageOptions): Promise<Received> {
    const options = {
      isUrgent: flags.includes('OOB'),
      isPeek: flags.includes('PEEK'),
      mayWait: !flags.includes('DONTWAIT'),
    };
    return this.#waits.until('receive', withinMs, () => this.#socket.tryReceive(most, options));
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    this.#socket.shutdown(how);
  }

  setOption(option: SocketOption, value: number | string): void {
    this.#socket.setOption(option, value);
  }

  getOption(option: SocketOption): number | string {
    return this.#socket.getOption(option);
  }

  info(): TcpInfo {
    return this.#socket.info();
  }

  state(): TcpState {
    return this.#socket.state();
  }

  queues(): Queues {
    return this.#socket.queues();
  }

  isAtUrgentMark(): boolean {
    return this.#socket.isAtUrgentMark();
  }

  takeError(): string | undefined {
    return this.#socket.takeError();
  }

  poll(): PollEvents {
    return this.#socket.poll();
  }

  close(): Outcome<void> {
    const lingering = this.#socket.close();
    this.#waits.close();
    if (lingering !== undefined) return this.#linger(lingering);
  }

  /** SO_LINGER: close(2) waits until all is acknowledged, or the time is over. */
  #linger({ mostMs, isOver }: Lingering): Promise<void> {
    return this.#waits
      .until<true>('close', mostMs, () => isOver() || undefined)
      .then(
        () => {},
        () => {},
      );
  }

  abort(): void {
    this.#socket.abort();
    this.#waits.close();
  }

  dispose(): void {
    this.#socket.dispose();
    this.#waits.close();
  }
}
