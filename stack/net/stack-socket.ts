/**
 * A connection of the stack as Node programs know one: a `stream.Duplex` with what `net.Socket` has beside, as far as http, https, tls
 * and pipelines ask for it. Data waits in the stack's buffers while nobody reads, so that the window closes, and writing waits for room.
 */
import { Duplex } from 'node:stream';
import type { TcpSocket } from '../host/index.js';
import type { Notice, TcpError } from '../tcp/index.js';
import { IdleTimer } from './idle-timer.js';
import type { Liveness } from './liveness.js';
import { nodeError, systemError } from './system-error.js';

export interface StackSocketOptions {
  /** Stays writable after the other side has ended; default false: it ends then, too. */
  readonly allowHalfOpen?: boolean | undefined;
  readonly highWaterMark?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SocketAddressInfo {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

/** Octets read at once: more would let one connection keep the others waiting. */
const MOST_AT_ONCE = 262_144;

interface Writing {
  readonly chunks: Uint8Array[];
  readonly octets: number;
  readonly done: (error?: Error | null) => void;
}

type Progress = 'connecting' | 'open' | 'closed';

export class StackSocket extends Duplex {
  readonly #liveness: Liveness;
  readonly #idle = new IdleTimer(() => this.emit('timeout'));
  #tcp: TcpSocket | undefined;
  #progress: Progress = 'connecting';
  #isReferenced = true;
  /** The stream wants data. */
  #wantsData = false;
  #hasPushedEnd = false;
  #writing: Writing | undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  /** Something is to be moved once all packets that came together have been looked at. */
  #isScheduled = false;
  #settings: Parameters<TcpSocket['change']>[0] = {};

  constructor(liveness: Liveness, options: StackSocketOptions = {}) {
    const { allowHalfOpen = false, highWaterMark, signal } = options;
    super({
      allowHalfOpen,
      // As net.Socket's, 'close' says whether there was an error.
      emitClose: false,
      ...(highWaterMark === undefined ? {} : { highWaterMark }),
      ...(signal === undefined ? {} : { signal }),
    });
    this.#liveness = liveness;
    liveness.hold(this);
  }

  /** For the face: this is the connection. It may be opening, or open already. */
  attach(tcp: TcpSocket): this {
    if (this.destroyed) {
      tcp.abort();
      return this;
    }
    this.#tcp = tcp;
    tcp.onNotice = (notice) => this.#heed(notice);
    if (Object.keys(this.#settings).length > 0) tcp.change(this.#settings);
    if (tcp.state !== 'SYN-SENT' && tcp.state !== 'SYN-RECEIVED') this.#progress = 'open';
    const { error } = tcp;
    // It has ended while it waited to be accepted.
    if (error !== undefined) process.nextTick(() => this.#fail(error));
    return this;
  }

  // What net.Socket tells

  get connecting(): boolean {
    return this.#progress === 'connecting' && !this.destroyed;
  }

  get pending(): boolean {
    return this.#tcp === undefined || this.connecting;
  }

  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  get remoteAddress(): string | undefined {
    return this.pending ? undefined : this.#tcp?.remote.ip;
  }

  get remotePort(): number | undefined {
    return this.pending ? undefined : this.#tcp?.remote.port;
  }

  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.remoteAddress === undefined ? undefined : familyOf(this.remoteAddress);
  }

  get localAddress(): string | undefined {
    return this.#tcp?.local.ip;
  }

  get localPort(): number | undefined {
    return this.#tcp?.local.port;
  }

  get localFamily(): 'IPv4' | 'IPv6' | undefined {
    return this.localAddress === undefined ? undefined : familyOf(this.localAddress);
  }

  address(): SocketAddressInfo | Record<string, never> {
    const { localAddress, localPort } = this;
    if (localAddress === undefined || localPort === undefined) return {};
    return { address: localAddress, family: familyOf(localAddress), port: localPort };
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** What was written, whether it has left or waits. */
  get bytesWritten(): number {
    return this.#bytesWritten + this.writableLength;
  }

  get timeout(): number | undefined {
    return this.#idle.ms === 0 ? undefined : this.#idle.ms;
  }

  /** The stack's own socket, for what streams have no word for: urgent data, settings, the control block. */
  get tcp(): TcpSocket | undefined {
    return this.#tcp;
  }

  // What net.Socket can be asked

  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#idle.set(ms);
    if (onTimeout !== undefined) {
      if (ms === 0) this.removeListener('timeout', onTimeout);
      else this.once('timeout', onTimeout);
    }
    return this;
  }

  setNoDelay(noDelay = true): this {
    return this.#change({ noDelay });
  }

  setKeepAlive(enable = false, initialDelayMs = 0): this {
    return this.#change({
      keepAlive: enable,
      ...(initialDelayMs > 0 ? { keepAliveIdleMs: initialDelayMs } : {}),
    });
  }

  #change(settings: Parameters<TcpSocket['change']>[0]): this {
    if (this.#tcp === undefined) this.#settings = { ...this.#settings, ...settings };
    else if (this.#tcp.state !== 'CLOSED') this.#tcp.change(settings);
    return this;
  }

  ref(): this {
    this.#isReferenced = true;
    if (!this.destroyed) this.#liveness.hold(this);
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.#liveness.release(this);
    return this;
  }

  /** Destroys once all that was written has left. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Ends the connection with a RST. */
  resetAndDestroy(): this {
    if (this.#progress === 'closed' || this.#tcp === undefined) {
      this.destroy(nodeError('ERR_SOCKET_CLOSED', 'Socket is closed'));
      return this;
    }
    if (this.connecting) this.once('connect', () => this.resetAndDestroy());
    else {
      this.#tcp.onNotice = undefined;
      this.#tcp.abort();
      this.destroy();
    }
    return this;
  }

  // What the stack tells

  #heed(notice: Notice): void {
    switch (notice.kind) {
      case 'established':
        if (this.#progress === 'connecting') this.#opened();
        return;
      case 'readable':
      case 'end':
        if (this.#wantsData) this.#schedule();
        return;
      case 'writable':
        if (this.#writing !== undefined) this.#schedule();
        return;
      case 'failed':
        this.#fail(notice.error);
        return;
      case 'state':
        if (notice.to === 'CLOSED' && this.#wantsData) this.#schedule();
        return;
      default:
    }
  }

  #opened(): void {
    this.#progress = 'open';
    this.#idle.refresh();
    this.emit('connect');
    this.emit('ready');
    // As net.Socket does: so that the end of one that nobody reads is noticed.
    if (!this.isPaused()) this.read(0);
    this.#schedule();
  }

  #fail(code: TcpError): void {
    if (this.destroyed) return;
    const { connecting } = this;
    const remote = this.#tcp?.remote;
    // What came before the end is the program's all the same.
    this.#pull();
    const call = connecting ? 'connect' : this.#writing === undefined ? 'read' : 'write';
    const where = connecting ? { address: remote?.ip, port: remote?.port } : {};
    this.destroy(systemError(code, call, where));
  }

  /** Packets come in batches: what they bring is moved in one piece. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.destroyed) return;
      this.#put();
      this.#pull();
    });
  }

  // Reading

  override _read(): void {
    this.#wantsData = true;
    if (this.#progress === 'open') this.#pull();
  }

  #pull(): void {
    const tcp = this.#tcp;
    if (tcp === undefined) return;
    while (this.#wantsData && tcp.available > 0) {
      const data = tcp.receive(MOST_AT_ONCE);
      this.#bytesRead += data.length;
      this.#idle.refresh();
      this.#wantsData = this.push(data);
    }
    if (this.#hasPushedEnd || tcp.available > 0) return;
    if (!tcp.isAtEnd && (tcp.state !== 'CLOSED' || tcp.error !== undefined)) return;
    this.#hasPushedEnd = true;
    this.push(null);
  }

  // Writing

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Writing['done']): void {
    this.#begin([chunk], done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Uint8Array }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#begin(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  #begin(chunks: Uint8Array[], done: Writing['done']): void {
    const octets = chunks.reduce((sum, { length }) => sum + length, 0);
    this.#writing = { chunks, octets, done };
    if (this.#progress === 'open') this.#put();
  }

  /** Hands over what there is room for; the last of it says `done`. */
  #put(): void {
    const writing = this.#writing;
    const tcp = this.#tcp;
    if (writing === undefined || tcp === undefined || this.#progress !== 'open') return;
    if (!tcp.canSend) {
      this.#finishWriting(tcp.error === undefined ? systemError('EPIPE', 'write') : null);
      return;
    }
    const { chunks } = writing;
    for (let first = chunks[0]; first !== undefined; first = chunks[0]) {
      const taken = tcp.send(first, { hasMore: chunks.length > 1 });
      if (taken > 0) this.#idle.refresh();
      if (taken < first.length) {
        chunks[0] = first.subarray(taken);
        return;
      }
      chunks.shift();
    }
    this.#bytesWritten += writing.octets;
    this.#finishWriting(null);
  }

  #finishWriting(error: Error | null): void {
    const { done } = this.#writing ?? {};
    this.#writing = undefined;
    done?.(error);
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#progress === 'connecting') {
      // CLOSE in SYN-SENT would give the opening up (RFC 9293 section 3.10.4).
      this.once('connect', () => this._final(done));
      return;
    }
    this.#tcp?.shutdown();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#idle.stop();
    this.#progress = 'closed';
    this.#finishWriting(error ?? nodeError('ERR_STREAM_DESTROYED', 'The socket was destroyed'));
    this.#letGo();
    done(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** The connection lives on in the stack until all that was written has arrived; so does the process. */
  #letGo(): void {
    const tcp = this.#tcp;
    const release = () => this.#liveness.release(this);
    if (tcp === undefined) {
      release();
      return;
    }
    tcp.onNotice = (notice) => {
      if (notice.kind === 'state' && isOver(notice.to)) release();
    };
    tcp.close();
    if (isOver(tcp.state)) release();
    else if (this.#isReferenced) this.#liveness.hold(this);
  }
}

/** Nothing of this side's is under way any more. */
const isOver = (state: TcpSocket['state']): boolean =>
  state === 'CLOSED' || state === 'TIME-WAIT' || state === 'FIN-WAIT-2';

const familyOf = (ip: string): 'IPv4' | 'IPv6' => (ip.includes(':') ? 'IPv6' : 'IPv4');
