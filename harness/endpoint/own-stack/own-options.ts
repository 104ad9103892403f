/** The options of one socket of the project's own TCP, whatever it is at the time, and what they come to. */
import { type TcpListener, type TcpSettings, TcpSocket } from '../../../stack/index.js';
import { SocketError, Unsupported } from '../endpoint.js';
import { settingOption } from './setting-options.js';

/** include/linux/socket.h and in.h. */
const FIXED: Readonly<Record<string, number>> = { SO_TYPE: 1, SO_PROTOCOL: 6 };
const AF = { 4: 2, 6: 10 } as const;

export interface OptionBase {
  readonly ipVersion: 4 | 6;
  /** What is in force where the program sets nothing. */
  readonly defaults: TcpSettings;
}

export class OwnOptions {
  readonly #base: OptionBase;
  #settings: Partial<TcpSettings>;
  /** What the settings are in force for: a listener or a connection. */
  #followed: TcpListener | TcpSocket | undefined;
  /** SO_LINGER: -1 when it is off. */
  lingerSeconds = -1;
  isUrgentInline = false;
  mayReuseAddress = false;
  /** TCP_FASTOPEN of a listener, TCP_FASTOPEN_CONNECT of a client. */
  fastOpenQueue = 0;
  isFastOpen = false;

  constructor(base: OptionBase, settings: Partial<TcpSettings> = {}) {
    this.#base = base;
    this.#settings = settings;
  }

  /** As the program set them, where it did. */
  get settings(): Partial<TcpSettings> {
    return this.#settings;
  }

  /** From now on they are those of this. */
  follow(followed: TcpListener | TcpSocket): void {
    this.#followed = followed;
  }

  /** Throws when a listener cannot have them. */
  checkForListener(): void {
    if ((this.#settings.handshakeAckDelayMs ?? 0) > 0)
      throw new Unsupported(
        'a listener of the endpoint stack does not wait for data: TCP_DEFER_ACCEPT is for its clients',
      );
  }

  /** Those that a connection has of its listener. */
  inherited(): OwnOptions {
    const made = new OwnOptions(this.#base, this.#settings);
    made.lingerSeconds = this.lingerSeconds;
    made.isUrgentInline = this.isUrgentInline;
    made.mayReuseAddress = this.mayReuseAddress;
    return made;
  }

  set(name: string, value: number | string): void {
    const option = settingOption(name);
    if (option === undefined) {
      this.#setOwn(name, Number(value));
      return;
    }
    const change = option.set(value);
    this.#settings = { ...this.#settings, ...change };
    const followed = this.#followed;
    if (followed instanceof TcpSocket) followed.change(change);
    else if (followed !== undefined) followed.settings = { ...followed.settings, ...change };
  }

  #setOwn(name: string, value: number): void {
    switch (name) {
      case 'SO_LINGER':
        this.lingerSeconds = value;
        return;
      case 'SO_OOBINLINE':
        this.isUrgentInline = value !== 0;
        return;
      case 'SO_REUSEADDR':
        this.mayReuseAddress = value !== 0;
        return;
      case 'TCP_FASTOPEN':
        this.fastOpenQueue = value;
        return;
      case 'TCP_FASTOPEN_CONNECT':
        this.isFastOpen = value !== 0;
        return;
      default:
        if (
          Object.hasOwn(FIXED, name) ||
          name === 'SO_DOMAIN' ||
          name === 'SO_ERROR' ||
          name === 'SO_ACCEPTCONN'
        )
          throw new SocketError('ENOPROTOOPT', 'setsockopt', name);
        throw new Unsupported(`the endpoint stack has no socket option ${name}`);
    }
  }

  get(name: string): number | string {
    const option = settingOption(name);
    if (option !== undefined) return option.get(this.inForce);
    switch (name) {
      case 'SO_LINGER':
        return this.lingerSeconds;
      case 'SO_OOBINLINE':
        return Number(this.isUrgentInline);
      case 'SO_REUSEADDR':
        return Number(this.mayReuseAddress);
      case 'TCP_FASTOPEN':
        return this.fastOpenQueue;
      case 'TCP_FASTOPEN_CONNECT':
        return Number(this.isFastOpen);
      case 'SO_DOMAIN':
        return AF[this.#base.ipVersion];
      default: {
        const fixed = Object.hasOwn(FIXED, name) ? FIXED[name] : undefined;
        if (fixed !== undefined) return fixed;
        throw new Unsupported(`the endpoint stack has no socket option ${name}`);
      }
    }
  }

  /** All of them, as they are now. */
  get inForce(): TcpSettings {
    const followed = this.#followed;
    if (followed === undefined) return { ...this.#base.defaults, ...this.#settings };
    return followed instanceof TcpSocket ? followed.block.settings : followed.settings;
  }
}
