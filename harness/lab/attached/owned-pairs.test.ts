import { expect } from 'chai';
import { ownedPairs } from './owned-pairs.js';

const localIps = new Set(['10.0.0.5']);
const asServer = ownedPairs({ side: 'server', port: 5432, localIps });
const asClient = ownedPairs({ side: 'client', port: 5432, localIps });
const at = (text: string) => {
  const colon = text.lastIndexOf(':');
  return { ip: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
};

describe('the connections of a port that a namespace has', () => {
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
