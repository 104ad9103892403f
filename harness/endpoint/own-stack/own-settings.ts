/**
 * Kernel settings as settings of the project's own TCP: scenarios pin them by the names that Linux has (sysctls below `net.`, see
 * Documentation/networking/ip-sysctl.rst). Those that the stack has no counterpart of are refused: nobody must think that they hold.
 */
import type { TcpSettings, TcpStackOptions } from '../../../stack/index.js';
import { didYouMean } from '../../text/index.js';
import { Unsupported } from '../endpoint.js';

/** What of a stack's options can be set by name. */
export type OwnSettings = Pick<TcpStackOptions, 'synCookies' | 'ports'> & {
  readonly settings?: Partial<TcpSettings>;
};

/** Undefined: the value is none that the stack can have. */
type Translate = (value: string) => OwnSettings | undefined;

const whole = (value: string): number | undefined => (/^\d+$/.test(value) ? Number(value) : undefined);

const number =
  (
    key: { [K in keyof TcpSettings]: TcpSettings[K] extends number ? K : never }[keyof TcpSettings],
    unit = 1,
  ) =>
  (value: string): OwnSettings | undefined => {
    const n = whole(value);
    return n === undefined ? undefined : { settings: { [key]: n * unit } };
  };

const oneOf =
  (values: Readonly<Record<string, OwnSettings>>): Translate =>
  (value) =>
    Object.hasOwn(values, value) ? values[value] : undefined;

const flag = (
  key: { [K in keyof TcpSettings]: TcpSettings[K] extends boolean ? K : never }[keyof TcpSettings],
): Translate => oneOf({ 0: { settings: { [key]: false } }, 1: { settings: { [key]: true } } });

/** 0 stands for 8 (net/ipv4/tcp_timer.c, tcp_orphan_retries). */
const orphanRetries: Translate = (value) => number('orphanRetries')(value === '0' ? '8' : value);

/** The middle one of three is where a buffer begins; the stack's stay as they are. */
const buffer =
  (key: 'receiveBufferOctets' | 'sendBufferOctets'): Translate =>
  (value) => {
    const [, initial = ''] = value.trim().split(/\s+/);
    return number(key)(initial);
  };

const ports: Translate = (value) => {
  const [from, to] = value.trim().split(/\s+/).map(Number);
  if (from === undefined || to === undefined || !(from >= 1 && from <= to && to <= 0xffff)) return undefined;
  return { ports: { from, to } };
};

const NOTHING: OwnSettings = {};
const SECONDS = 1000;

const TRANSLATIONS: Readonly<Record<string, Translate>> = {
  'ipv4.tcp_syn_retries': number('synRetries'),
  'ipv4.tcp_synack_retries': number('synAckRetries'),
  // The stack repeats each SYN after twice the time, and knows no repeats at even distances before.
  'ipv4.tcp_syn_linear_timeouts': oneOf({ 0: NOTHING }),
  'ipv4.tcp_retries2': number('dataRetries'),
  'ipv4.tcp_orphan_retries': orphanRetries,
  'ipv4.tcp_fin_timeout': number('finWait2Ms', SECONDS),
  'ipv4.tcp_keepalive_time': number('keepAliveIdleMs', SECONDS),
  'ipv4.tcp_keepalive_intvl': number('keepAliveIntervalMs', SECONDS),
  'ipv4.tcp_keepalive_probes': number('keepAliveProbes'),
  'ipv4.tcp_timestamps': flag('timestamps'),
  'ipv4.tcp_sack': flag('sack'),
  'ipv4.tcp_window_scaling': flag('windowScale'),
  'ipv4.tcp_rfc1337': flag('timeWaitIgnoresReset'),
  'ipv4.tcp_ecn': oneOf({
    0: { settings: { ecn: 'off' } },
    1: { settings: { ecn: 'ask' } },
    2: { settings: { ecn: 'accept' } },
  }),
  'ipv4.tcp_early_retrans': oneOf({
    0: { settings: { tailLossProbe: false } },
    3: { settings: { tailLossProbe: true } },
    4: { settings: { tailLossProbe: true } },
  }),
  'ipv4.tcp_congestion_control': oneOf({
    cubic: { settings: { congestionControl: 'cubic' } },
    reno: { settings: { congestionControl: 'newreno' } },
  }),
  'ipv4.tcp_mtu_probing': oneOf({
    0: { settings: { pathMtuDiscovery: 'icmp' } },
    2: { settings: { pathMtuDiscovery: 'probe' } },
  }),
  'ipv4.ip_no_pmtu_disc': oneOf({
    0: { settings: { pathMtuDiscovery: 'icmp' } },
    1: { settings: { pathMtuDiscovery: 'off' } },
  }),
  'ipv4.tcp_syncookies': oneOf({
    0: { synCookies: 'never' },
    1: { synCookies: 'flood' },
    2: { synCookies: 'always' },
  }),
  'ipv4.tcp_rto_max_ms': number('rtoMaxMs'),
  'ipv4.tcp_rto_min_us': number('rtoMinMs', 1 / 1000),
  'ipv4.tcp_rmem': buffer('receiveBufferOctets'),
  'ipv4.tcp_wmem': buffer('sendBufferOctets'),
  'ipv4.ip_local_port_range': ports,
  'ipv4.ip_default_ttl': number('hopLimit'),
  'ipv6.conf.all.hop_limit': number('hopLimit'),
  'ipv6.conf.default.hop_limit': number('hopLimit'),
};

/** Throws `Unsupported`, in one sentence, for a setting that the stack does not have, or a value that it cannot have. */
export function ownSettings(settings: Readonly<Record<string, string | number>>): OwnSettings {
  let all: OwnSettings = {};
  for (const [name, value] of Object.entries(settings)) {
    const translated = translate(name, String(value));
    all = { ...all, ...translated, settings: { ...all.settings, ...translated.settings } };
  }
  return all;
}

/** What all names have in common makes none like another. */
const lastPart = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

function translate(name: string, value: string): OwnSettings {
  const known = Object.hasOwn(TRANSLATIONS, name) ? TRANSLATIONS[name] : undefined;
  if (known === undefined)
    throw new Unsupported(
      `the endpoint stack has no setting net.${name}${didYouMean(lastPart(name), Object.keys(TRANSLATIONS).map(lastPart))}`,
    );
  const translated = known(value);
  if (translated === undefined)
    throw new Unsupported(`the endpoint stack cannot have the setting net.${name} = ${value}`);
  return translated;
}
