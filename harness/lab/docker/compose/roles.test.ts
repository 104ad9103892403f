import { expect } from 'chai';
import type { ComposeService } from '../../../docker/index.js';
import { AttachRefused, NoSuchTarget } from '../../attached/index.js';
import { meeting } from './meeting.js';
import { rolesOf } from './roles.js';
import { endsReached } from './wire-reach.js';

interface Given extends Partial<Omit<ComposeService, 'container'>> {
  readonly role?: string;
  readonly networks?: ComposeService['container']['networks'];
}

const service = (name: string, { role, networks = [], ...more }: Given = {}): ComposeService => ({
  service: name,
  isRunning: true,
  hasInput: false,
  container: {
    id: `id-of-${name}`,
    name: `shop_${name}_1`,
    image: 'image',
    pid: 42,
    labels: role === undefined ? {} : { 'lastack.role': role },
    networks,
    exposedPorts: [],
    isPaused: false,
    isRunning: async () => true,
  },
  ...more,
});

const [client, server] = [service('client'), service('server')];

describe('the roles of a compose project', () => {
  it('are those of services that are called so', () => {
    const wire = service('wire');
    expect(rolesOf('shop', [server, wire, client])).to.deep.equal({
      client,
      server,
      wire,
      toxiproxy: undefined,
    });
  });

  it('are given by labels before names', () => {
    const web = service('web', { role: 'server' });
    expect(rolesOf('shop', [client, server, web]).server).to.equal(web);
    const other = service('toxiproxy', { role: 'none' });
    expect(rolesOf('shop', [client, server, other]).toxiproxy).to.equal(undefined);
  });

  for (const [what, services, said] of [
    ['a project that is not there', [], /nothing of the compose project "shop".*--project/],
    ['a client that is missing', [server, service('db')], /no client: .*"lastack.role: client".*db, server/],
    ['a server that is missing', [client], /no server: .*there are client/],
    ['two that play one part', [client, server, server], /two containers for the server/],
    ['one that has ended', [client, service('server', { isRunning: false })], /does not run: .*logs server/],
  ] as const)
    it(`say in one sentence that there is ${what}`, () => {
      expect(() => rolesOf('shop', services)).to.throw(NoSuchTarget, said);
    });
});

describe('the network that two services meet in', () => {
  const at = (name: string, ...networks: ComposeService['container']['networks']) =>
    service(name, { networks });

  it('is the first that both have addresses of the IP version in', () => {
    const web = at(
      'web',
      { name: 'back', ip: '10.0.1.2' },
      { name: 'front', ip: '10.0.2.2', ipv6: 'fd00::2' },
    );
    const user = at('user', { name: 'front', ip: '10.0.2.3', ipv6: 'fd00::3' });
    expect(meeting(user, web, 4)).to.deep.equal(['10.0.2.3', '10.0.2.2']);
    expect(meeting(user, web, 6)).to.deep.equal(['fd00::3', 'fd00::2']);
  });

  it('may be missing', () => {
    const [a, b] = [at('a', { name: 'one', ip: '10.0.1.2' }), at('b', { name: 'two', ip: '10.0.2.2' })];
    expect(() => meeting(a, b, 4)).to.throw(NoSuchTarget, /"a" and "b" share no network with IPv4/);
  });
});

describe('what a wire of a compose project sees', () => {
  const ends = { client, server };

  it('is the network that it shares, and that of the processes that it sees', () => {
    const wire = service('wire', { networkOf: 'id-of-client', pidsOf: 'id-of-server' });
    expect(endsReached(wire, ends)).to.deep.equal({
      client: { kind: 'namespace', path: '/proc/self/ns/net' },
      server: { kind: 'namespace', path: '/proc/1/ns/net' },
    });
  });

  it('is everything where it sees the processes of the machine', () => {
    expect(endsReached(service('wire', { pidsOf: 'host' }), ends)).to.deep.equal({
      client: { kind: 'namespace', path: '/proc/42/ns/net' },
      server: { kind: 'namespace', path: '/proc/42/ns/net' },
    });
  });

  it('is said to be too little, with what it must have', () => {
    const wire = service('wire', { networkOf: 'id-of-client' });
    expect(() => endsReached(wire, ends)).to.throw(
      AttachRefused,
      /does not see the network of "server": .*"service:client" and pid: "service:server"/,
    );
  });
});
