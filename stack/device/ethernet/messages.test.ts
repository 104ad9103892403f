import { deepEqual, equal, throws } from 'node:assert/strict';
import { fromHex, ipBytes } from '../../../harness/segment/index.js';
import { readArp, writeArp } from './arp.js';
import { localMac, macOctets, macText, multicastMac6 } from './mac.js';
import {
  isNeighbourMessage,
  type NeighbourMessage,
  readNeighbourMessage,
  solicitedNodeGroup,
  writeNeighbourMessage,
} from './neighbour-discovery.js';
import { isOnLink, parseAddress, Routes } from './route.js';

const OWN = macOctets('02:00:00:00:00:01');
const OTHER = macOctets('02:00:00:00:00:02');

describe('ARP', () => {
  const request = {
    operation: 'request',
    senderMac: OWN,
    senderIp: ipBytes('192.0.2.1'),
    targetMac: new Uint8Array(6),
    targetIp: ipBytes('192.0.2.2'),
  } as const;

  it('is written as RFC 826 has it', () => {
    deepEqual(writeArp(request), fromHex('0001080006040001020000000001c0000201000000000000c0000202'));
  });

  it('is read as it was written', () => {
    deepEqual(readArp(writeArp(request)), request);
    deepEqual(readArp(writeArp({ ...request, operation: 'reply' }))?.operation, 'reply');
  });

  it('is nothing when it is cut short, or of other kinds of addresses', () => {
    const octets = writeArp(request);
    equal(readArp(octets.subarray(0, 27)), undefined);
    for (const at of [0, 1, 2, 3, 4, 5, 6]) {
      const bad = octets.slice();
      bad[at] = 99;
      equal(readArp(bad), undefined, `octet ${at}`);
    }
  });
});

describe('Neighbour discovery', () => {
  const solicitation: NeighbourMessage = {
    kind: 'solicitation',
    sourceIp: ipBytes('2001:db8::1'),
    destinationIp: solicitedNodeGroup(ipBytes('2001:db8::aa:bbcc')),
    targetIp: ipBytes('2001:db8::aa:bbcc'),
    mac: OWN,
  };

  it('asks the group that the target listens to', () => {
    deepEqual(solicitation.destinationIp, ipBytes('ff02::1:ffaa:bbcc'));
    equal(macText(multicastMac6(solicitation.destinationIp)), '33:33:ff:aa:bb:cc');
  });

  it('is read as it was written', () => {
    for (const message of [
      solicitation,
      { ...solicitation, mac: undefined },
      { ...solicitation, kind: 'advertisement', mac: OTHER } as const,
    ]) {
      const packet = writeNeighbourMessage(message);
      equal(isNeighbourMessage(packet), true);
      deepEqual(readNeighbourMessage(packet), message);
    }
  });

  it('is not believed when it is damaged, or has crossed a router', () => {
    const packet = writeNeighbourMessage(solicitation);
    for (const at of [7, 41, 42, 50, packet.length - 1]) {
      const bad = packet.slice();
      bad[at] = (bad[at] ?? 0) ^ 1;
      equal(readNeighbourMessage(bad), undefined, `octet ${at}`);
    }
    equal(readNeighbourMessage(packet.subarray(0, packet.length - 1)), undefined);
  });
});

describe('Routes', () => {
  it('send to the gateway what is of another network', () => {
    const routes = new Routes(['192.0.2.1/24', '2001:db8::1/64'], ['192.0.2.254', '2001:db8::fe']);
    const next = (ip: string) => routes.gatewayFor(ipBytes(ip));
    deepEqual(['192.0.2.9', '192.0.3.9', '2001:db8::9', '2001:db8:0:1::9'].map(next), [
      undefined,
      '192.0.2.254',
      undefined,
      '2001:db8::fe',
    ]);
  });

  it('take all for their neighbours where there is no gateway', () => {
    equal(new Routes(['192.0.2.1/24']).gatewayFor(ipBytes('198.51.100.1')), undefined);
  });

  it('know prefixes that end within an octet', () => {
    const address = parseAddress('10.0.4.1/22');
    deepEqual(
      ['10.0.4.0', '10.0.7.255', '10.0.8.0', '10.0.3.255'].map((ip) => isOnLink(address, ipBytes(ip))),
      [true, true, false, false],
    );
  });

  for (const text of [
    '192.0.2.1/33',
    '192.0.2.1/',
    '192.0.2.1/-1',
    '192.0.2.1/2/3',
    'host/24',
    '2001:db8::1/129',
  ])
    it(`refuse ${text}`, () => {
      throws(() => parseAddress(text), RangeError);
    });
});

describe('An Ethernet address', () => {
  it('that is made up is local, and of one station', () => {
    equal(macText(localMac(Uint8Array.of(0xff, 1, 2, 3, 4, 5, 6))), 'fe:01:02:03:04:05');
    equal(macText(localMac(Uint8Array.of(0x00, 1, 2, 3, 4, 5))), '02:01:02:03:04:05');
  });

  it('is refused when it is none', () => {
    throws(() => macOctets('02:00:00:00:00'), /no Ethernet address/);
  });
});
