/** Socket options, by their C names, that are settings of the project's own TCP. Values are what Linux takes, in Linux's units. */
import type { TcpSettings } from '../../../stack/index.js';
import { SocketError } from '../endpoint.js';

export interface SettingOption {
  /** Throws EINVAL, or the errno that Linux has for it, for a value that is none. */
  readonly set: (value: number | string) => Partial<TcpSettings>;
  readonly get: (settings: TcpSettings) => number | string;
}

type Name<T> = { [K in keyof TcpSettings]: TcpSettings[K] extends T ? K : never }[keyof TcpSettings];

interface Range {
  readonly least: number;
  readonly most: number;
  /** Of the option in those of the setting: 1000 for seconds in milliseconds. */
  readonly unit?: number;
}

const refused = (errno = 'EINVAL', detail?: string): SocketError =>
  new SocketError(errno, 'setsockopt', detail);

function number(key: Name<number>, { least, most, unit = 1 }: Range): SettingOption {
  return {
    set: (value) => {
      if (typeof value !== 'number' || value < least || value > most)
        throw refused('EINVAL', `it takes ${least} to ${most}`);
      return { [key]: value * unit };
    },
    get: (settings) => settings[key] / unit,
  };
}

const flag = (key: Name<boolean>): SettingOption => ({
  set: (value) => ({ [key]: value !== 0 }),
  get: (settings) => Number(settings[key]),
});

const CONGESTION = { cubic: 'cubic', reno: 'newreno' } as const;

const congestion: SettingOption = {
  set: (value) => {
    const name = Object.entries(CONGESTION).find(([each]) => each === value);
    if (name === undefined) throw refused('ENOENT', `there is ${Object.keys(CONGESTION).join(' and ')}`);
    return { congestionControl: name[1] };
  },
  get: ({ congestionControl }) => (congestionControl === 'newreno' ? 'reno' : congestionControl),
};

/** The field has DSCP in its upper six bits; the lower two are ECN's, which a program has no say in. */
const trafficClass: SettingOption = {
  set: (value) => {
    if (typeof value !== 'number' || value < 0 || value > 255) throw refused('EINVAL', 'it takes 0 to 255');
    return { dscp: value >> 2 };
  },
  get: ({ dscp }) => dscp << 2,
};

/** IP_PMTUDISC_DONT and IP_PMTUDISC_WANT or _DO (include/uapi/linux/in.h). */
const pathMtuDiscovery: SettingOption = {
  set: (value) => {
    if (value !== 0 && value !== 1 && value !== 2) throw refused('EINVAL', 'it takes 0 to 2');
    return { pathMtuDiscovery: value === 0 ? 'off' : 'icmp' };
  },
  get: (settings) => (settings.pathMtuDiscovery === 'off' ? 0 : 1),
};

const ACK_DELAY_MS = 100;
/** Linux waits so long at most (TCP_DELACK_MAX). */
const HANDSHAKE_ACK_DELAY_MS = 200;

/** Of a client: its ACK of the SYN,ACK may wait for data. Seconds in Linux, where they matter to listeners only. */
const deferAccept: SettingOption = {
  set: (value) => ({ handshakeAckDelayMs: Number(value) > 0 ? HANDSHAKE_ACK_DELAY_MS : 0 }),
  get: ({ handshakeAckDelayMs }) => Number(handshakeAckDelayMs > 0),
};

const quickAck: SettingOption = {
  set: (value) => ({ ackDelayMs: value === 0 ? ACK_DELAY_MS : 0 }),
  get: ({ ackDelayMs }) => Number(ackDelayMs === 0),
};

/** In ms, 0: until R2; how long the program lets data wait. */
const userTimeout = number('userTimeoutMs', { least: 0, most: 2 ** 31 - 1 });
const octets: Range = { least: 1, most: 2 ** 30 };
/** include/net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT, MAX_TCP_SYNCNT, TCP_FIN_TIMEOUT_MAX. */
const seconds: Range = { least: 1, most: 32_767, unit: 1000 };
const hops = number('hopLimit', { least: 1, most: 255 });

const OPTIONS: Readonly<Record<string, SettingOption>> = {
  SO_SNDBUF: number('sendBufferOctets', octets),
  SO_RCVBUF: number('receiveBufferOctets', octets),
  SO_KEEPALIVE: flag('keepAlive'),
  TCP_KEEPIDLE: number('keepAliveIdleMs', seconds),
  TCP_KEEPINTVL: number('keepAliveIntervalMs', seconds),
  TCP_KEEPCNT: number('keepAliveProbes', { least: 1, most: 127 }),
  TCP_NODELAY: flag('noDelay'),
  TCP_CORK: flag('cork'),
  TCP_MAXSEG: number('maxSegmentOctets', { least: 88, most: 32_767 }),
  TCP_SYNCNT: number('synRetries', { least: 1, most: 127 }),
  TCP_LINGER2: number('finWait2Ms', { least: 0, most: 120, unit: 1000 }),
  TCP_DEFER_ACCEPT: deferAccept,
  TCP_QUICKACK: quickAck,
  TCP_CONGESTION: congestion,
  TCP_USER_TIMEOUT: userTimeout,
  TCP_RTO_MAX_MS: number('rtoMaxMs', { least: 1000, most: 120_000 }),
  TCP_RTO_MIN_US: number('rtoMinMs', { least: 1, most: 120_000_000, unit: 1 / 1000 }),
  TCP_DELACK_MAX_US: number('ackDelayMs', { least: 0, most: 500_000, unit: 1 / 1000 }),
  IP_TTL: hops,
  IPV6_UNICAST_HOPS: hops,
  IP_TOS: trafficClass,
  IPV6_TCLASS: trafficClass,
  IP_MTU_DISCOVER: pathMtuDiscovery,
  IPV6_MTU_DISCOVER: pathMtuDiscovery,
};

/** Undefined: the option is none of these. */
export const settingOption = (name: string): SettingOption | undefined =>
  Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
