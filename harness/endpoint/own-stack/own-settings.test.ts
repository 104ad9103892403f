import { expect } from 'chai';
import { Unsupported } from '../endpoint.js';
import { ownSettings } from './own-settings.js';

describe('kernel settings of our own TCP', () => {
  for (const [name, value, settings] of [
    ['ipv4.tcp_syn_retries', 2, { synRetries: 2 }],
    ['ipv4.tcp_synack_retries', '3', { synAckRetries: 3 }],
    ['ipv4.tcp_orphan_retries', 4, { orphanRetries: 4 }],
    ['ipv4.tcp_orphan_retries', 0, { orphanRetries: 8 }],
    ['ipv4.tcp_retries2', 5, { dataRetries: 5 }],
    ['ipv4.tcp_fin_timeout', 20, { finWait2Ms: 20_000 }],
    ['ipv4.tcp_keepalive_time', 60, { keepAliveIdleMs: 60_000 }],
    ['ipv4.tcp_early_retrans', 0, { tailLossProbe: false }],
    ['ipv4.tcp_early_retrans', 3, { tailLossProbe: true }],
    ['ipv4.tcp_timestamps', 0, { timestamps: false }],
    ['ipv4.tcp_sack', 1, { sack: true }],
    ['ipv4.tcp_ecn', 1, { ecn: 'ask' }],
    ['ipv4.tcp_congestion_control', 'reno', { congestionControl: 'newreno' }],
    ['ipv4.tcp_rto_min_us', 200_000, { rtoMinMs: 200 }],
    ['ipv4.tcp_rmem', '4096 131072 6291456', { receiveBufferOctets: 131_072 }],
  ] as const)
    it(`say ${JSON.stringify(settings)} by ${name} = ${value}`, () => {
      expect(ownSettings({ [name]: value })).to.deep.equal({ settings });
    });

  it('are taken together', () => {
    const settings = { 'ipv4.tcp_sack': 0, 'ipv4.tcp_syn_retries': 1, 'ipv4.tcp_syncookies': 2 };
    expect(ownSettings(settings)).to.deep.equal({
      synCookies: 'always',
      settings: { sack: false, synRetries: 1 },
    });
  });

  it('give ports', () => {
    const settings = { 'ipv4.ip_local_port_range': '40000 40010' };
    expect(ownSettings(settings)).to.deep.equal({ ports: { from: 40_000, to: 40_010 }, settings: {} });
  });

  for (const [name, value, sentence] of [
    [
      'ipv4.tcp_syn_retris',
      1,
      'the endpoint stack has no setting net.ipv4.tcp_syn_retris: did you mean "tcp_syn_retries"?',
    ],
    ['ipv4.tcp_frto', 1, 'the endpoint stack has no setting net.ipv4.tcp_frto'],
    ['ipv4.tcp_ecn', 9, 'the endpoint stack cannot have the setting net.ipv4.tcp_ecn = 9'],
    ['ipv4.tcp_sack', 'yes', 'the endpoint stack cannot have the setting net.ipv4.tcp_sack = yes'],
  ] as const)
    it(`are refused in one sentence: ${name} = ${value}`, () => {
      expect(() => ownSettings({ [name]: value })).to.throw(
        Unsupported,
        new RegExp(`^${escaped(sentence)}$`),
      );
    });
});

const escaped = (text: string): string => text.replace(/[.?()]/g, '\\$&');
