import { expect } from 'chai';
import { SIDES } from '../../fault/index.js';
import type { QueuedPacket } from '../../wire/index.js';
import { ownedPairs, type PairIntake, type PortIntake, queuedSegments, senderOf } from './intake.js';

const PORT: PortIntake = { kind: 'port', port: 5432, localIps: new Set(['10.0.0.5']) };
const PAIR: PairIntake = {
  kind: 'pair',
  side: 'server',
  hook: 'input',
  addresses: { client: '10.0.0.9', server: '10.0.0.5' },
  ports: [],
  isTracked: true,
  isForwarded: false,
};
const at = (text: string) => {
  const colon = text.lastIndexOf(':');
  return { ip: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
};

describe('the connections of a port that a namespace has', () => {
  const asServer = ownedPairs(PORT, 'server');
  const asClient = ownedPairs(PORT, 'client');
  for (const [what, local, remote, server, client] of [
    ['one that it serves', '10.0.0.5:5432', '10.0.0.9:40000', true, false],
    ['one that it opened', '10.0.0.5:40000', '10.0.0.9:5432', false, true],
    ['its listener', '0.0.0.0:5432', '0.0.0.0:0', true, false],
    ['the other end of one that it serves', '10.0.0.9:40000', '10.0.0.5:5432', false, false],
    ['one over its loopback, from here', '127.0.0.2:5432', '127.0.0.1:40000', true, false],
    ['one over its loopback, from there', '127.0.0.1:40000', '127.0.0.2:5432', false, true],
    ['one of another port', '10.0.0.5:80', '10.0.0.9:40000', false, false],
    ['another listener', '0.0.0.0:80', '0.0.0.0:0', false, false],
  ] as const)
    it(`${server || client ? 'are' : 'are not'} ${what}`, () => {
      const pair = { local: at(local), remote: at(remote) };
      expect({ server: asServer(pair), client: asClient(pair) }).to.deep.equal({ server, client });
    });
});

describe('the connections between two addresses that the namespace of one has', () => {
  for (const [what, local, remote, all, ofPort80] of [
    ['one with the other address', '10.0.0.5:80', '10.0.0.9:40000', true, true],
    ['one with the other address, of another port', '10.0.0.5:81', '10.0.0.9:40000', true, false],
    ['one that it opened', '10.0.0.5:40000', '10.0.0.9:80', true, true],
    ['a listener of its address', '10.0.0.5:80', '0.0.0.0:0', true, true],
    ['a listener of all addresses', ':::80', ':::0', true, true],
    ['a listener of its loopback', '127.0.0.11:80', '0.0.0.0:0', false, false],
    ['one with a third address', '10.0.0.5:80', '10.0.0.7:40000', false, false],
    ['one over its loopback', '127.0.0.1:80', '127.0.0.1:40000', false, false],
  ] as const)
    it(`${all ? 'are' : 'are not'} ${what}`, () => {
      const pair = { local: at(local), remote: at(remote) };
      expect(ownedPairs(PAIR, 'server')(pair)).to.equal(all);
      expect(ownedPairs({ ...PAIR, ports: [80] }, 'server')(pair)).to.equal(ofPort80);
    });
});

describe('the segments between two addresses', () => {
  it("are taken where the other side's come in", () => {
    expect(queuedSegments(PAIR)).to.deep.equal({
      kind: 'between',
      hook: 'input',
      source: '10.0.0.9',
      destination: '10.0.0.5',
      ports: [],
      isTracked: true,
      isForwarded: false,
    });
  });

  it('are taken where they leave for a scripted peer', () => {
    expect(queuedSegments({ ...PAIR, hook: 'output' })).to.include({
      hook: 'output',
      source: '10.0.0.5',
      destination: '10.0.0.9',
    });
  });

  it("are the side's whose namespace they come from, whatever their ports", () => {
    const packet: QueuedPacket = {
      id: 1,
      hook: 'input',
      isLoopback: false,
      packet: new Uint8Array(40),
      isWhole: true,
    };
    for (const side of SIDES) {
      expect(senderOf({ ...PAIR, side, hook: 'input' }, packet)).to.equal(
        side === 'client' ? 'server' : 'client',
      );
      expect(senderOf({ ...PAIR, side, hook: 'output' }, packet)).to.equal(side);
    }
  });
});
