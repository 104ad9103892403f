/**
 * The project's own TCP as an endpoint: a host in this process, whose packets go to and come from a lab's wire, and whose sockets are
 * driven as those of a kernel are.
 */
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { DEFAULT_SETTINGS, type StateChange, type TcpSettings, TcpStack } from '../../../stack/index.js';
import type { Clock } from '../../clock/index.js';
import type { Side } from '../../fault/index.js';
import { packageVersion } from '../../text/index.js';
import type { CallLog } from '../call-record.js';
import { SocketError, type SocketState } from '../endpoint.js';
import type { PolledSocket, PolledStack } from '../polled-socket.js';
import type { SocketDriver, StackDriver } from '../socket-driver.js';
import { SocketEndpoint } from '../socket-endpoint.js';
import { ownSettings } from './own-settings.js';
import { OwnSocket } from './own-socket.js';
import { socketStates } from './own-sockets.js';
import { type AskOwn, RemoteOwnStack } from './remote-own-stack.js';
import { WaitingSocket } from './waiting-socket.js';

/** What people call it. */
export const OWN_STACK = 'stack';

export const ownStackName = (): string => `${OWN_STACK}@${packageVersion()}`;

export interface OwnHostOptions {
  readonly ip: string;
  /** Further addresses of the host, of the other version of IP as a rule. */
  readonly moreIps?: readonly string[];
  readonly clock: Clock;
  readonly mtu: number;
  /** Kernel settings by the names that Linux has. Those that the stack does not have are `Unsupported`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Takes each packet that leaves; it must not deliver one to this host before it returns. */
  readonly output: (packet: Uint8Array) => void;
  /** Told of each change of state at its instant, and when TIME-WAIT is started anew. */
  readonly observe?: (change: StateChange) => void;
  /** Where its keys and ports come from (default: the machine's randomness). */
  readonly randomBytes?: (octets: number) => Uint8Array;
}

export type { StateChange };

export class OwnHost implements Disposable {
  readonly #options: OwnHostOptions;
  readonly #stack: TcpStack;
  readonly #defaults: TcpSettings;
  #observe: (change: StateChange) => void;

  constructor(options: OwnHostOptions) {
    const { ip, moreIps = [], clock, mtu, output, observe, settings = {} } = options;
    const own = ownSettings(settings);
    this.#options = options;
    this.#observe = observe ?? (() => {});
    this.#defaults = { ...DEFAULT_SETTINGS, ...own.settings };
    this.#stack = new TcpStack({
      ...own,
      clock,
      mtu,
      output,
      addresses: [ip, ...moreIps],
      randomBytes: options.randomBytes ?? ((octets) => randomBytes(octets)),
      observe: (change) => this.#observe(change),
    });
  }

  /** A packet has come. It may be kept: hand over octets that nobody changes. */
  deliver(packet: Uint8Array): void {
    this.#stack.input(packet);
  }

  /** A socket, fresh, whose calls wait. */
  socket(): SocketDriver {
    const { ip, clock } = this.#options;
    return new WaitingSocket(this.#socket(isIPv6(ip) ? 6 : 4), clock);
  }

  /** The host for those who wait themselves. */
  get polled(): PolledStack {
    return {
      name: ownStackName(),
      socket: (ipVersion) => this.#socket(ipVersion),
      sockets: () => this.sockets(),
      observe: (tell) => {
        const before = this.#observe;
        this.#observe = (change) => {
          before(change);
          tell(change);
        };
      },
    };
  }

  #socket(ipVersion: 4 | 6): PolledSocket {
    const { ip, moreIps = [] } = this.#options;
    if (![ip, ...moreIps].some((each) => isIPv6(each) === (ipVersion === 6)))
      throw new SocketError('EAFNOSUPPORT', 'socket', `this host has no IPv${ipVersion} address`);
    return new OwnSocket({ stack: this.#stack, ipVersion, defaults: this.#defaults });
  }

  sockets(): readonly SocketState[] {
    return socketStates(this.#stack);
  }

  endpoint(side: Side, log: CallLog): SocketEndpoint {
    const { ip, clock } = this.#options;
    const driver: StackDriver = {
      socket: () => this.socket(),
      end: (open) => {
        for (const socket of open) socket.dispose();
      },
    };
    const sockets = () => this.sockets();
    return new SocketEndpoint({ side, stack: ownStackName(), ip, clock, log, driver, sockets });
  }

  /** Forgets all connections without a word to anybody. */
  [Symbol.dispose](): void {
    this.#stack[Symbol.dispose]();
  }
}

export interface RemoteOwnEndpointOptions {
  readonly side: Side;
  readonly ip: string;
  readonly clock: Clock;
  readonly log: CallLog;
  /** Carries calls to the thread that serves the host, by an `OwnService`. */
  readonly ask: AskOwn;
}

/** An endpoint whose host is on another thread. */
export function remoteOwnEndpoint({ ask, ...options }: RemoteOwnEndpointOptions): SocketEndpoint {
  const driver = new RemoteOwnStack(ask);
  return new SocketEndpoint({
    ...options,
    stack: ownStackName(),
    driver,
    sockets: () => driver.sockets(),
  });
}
