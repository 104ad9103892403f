import { expect } from 'chai';
import { needsTestEngine, type TestEngine } from './engine.fixture.js';
import { EngineError } from './engine-error.js';
import { chosen, type Listed } from './find-container.js';

const listed = (id: string, name: string, more: Partial<Listed> = {}): Listed => ({
  Id: id.repeat(64).slice(0, 64),
  Names: [`/${name}`],
  State: 'running',
  Status: 'Up 2 minutes',
  ...more,
});

const service = (name: string, project: string) => ({
  Labels: { 'com.docker.compose.service': name, 'com.docker.compose.project': project },
});

const ALL = [
  listed('ab', 'shop_web_1', service('web', 'shop')),
  listed('ac', 'blog_web_1', service('web', 'blog')),
  listed('ad', 'shop_db_1', service('db', 'shop')),
  listed('ae', 'old', { State: 'exited', Status: 'Exited (0) 3 days ago' }),
];

function refusal(name: string): string {
  try {
    chosen(name, ALL, 'the engine');
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'no-container') return error.message;
  }
  throw new Error('it was not refused');
}

describe('a container that somebody names', () => {
  for (const [name, found] of [
    ['shop_db_1', 'shop_db_1'],
    ['db', 'shop_db_1'],
    ['blog/web', 'blog_web_1'],
    ['adad', 'shop_db_1'],
    ['ab'.repeat(32), 'shop_web_1'],
  ] as const)
    it(`is found by "${name}"`, () => {
      expect(chosen(name, ALL, 'the engine').Names).to.deep.equal([`/${found}`]);
    });

  it('may be a container and no service, or a service and no container', () => {
    const web = listed('db', 'web', service('db', 'shop'));
    const named = (name: string, as?: 'container' | 'service') =>
      chosen(name, [...ALL.slice(0, 1), web], 'the engine', as).Names[0];
    expect(named('web')).to.equal('/web');
    expect(named('web', 'container')).to.equal('/web');
    expect(named('web', 'service')).to.equal('/shop_web_1');
    expect(() => named('shop/web', 'container')).to.throw(/has no container "shop\/web"/);
    expect(() => named('db', 'service')).not.to.throw();
    expect(() => named('dbdb', 'service')).to.throw(/has no compose service "dbdb"/);
  });

  for (const [name, named] of [
    ['web', /"web" could be "shop_web_1" or "blog_web_1": name one of them/],
    ['shop_dv_1', /no container or compose service "shop_dv_1": did you mean "shop_db_1"\?/],
    ['xyzzy', /"docker ps" shows all/],
    ['old', /"old" does not run \(Exited \(0\) 3 days ago\): start it \(docker start old\)/],
  ] as const)
    it(`is refused with a sentence: "${name}"`, () => {
      expect(refusal(name)).to.match(named);
    });

  describe('in an engine', function () {
    this.timeout(60_000);
    let test: TestEngine;
    before(async function () {
      test = await needsTestEngine(this);
    });
    after(() => test?.[Symbol.asyncDispose]());

    it('tells its process, networks and ports, and whether it still runs', async () => {
      await using network = await test.engine.createNetwork({ ipVersion: 'both', purpose: 'find' });
      await using container = await test.engine.start({
        image: test.image,
        purpose: 'find',
        command: ['listen', '80'],
        network: { of: network },
        ports: [{ container: 80, hostIp: '127.0.0.1' }],
        labels: { 'com.docker.compose.service': `service-${test.engine.runId}` },
      });
      const found = await test.engine.find(`service-${test.engine.runId}`);
      expect(found.name).to.equal(container.name);
      expect(found.pid).to.equal(container.pid);
      expect(found.image).to.equal(test.image);
      expect(found.exposedPorts).to.deep.equal([80]);
      expect(found.networks).to.deep.equal([
        { name: network.name, ip: container.ip(4), ipv6: container.ip(6) },
      ]);
      expect(await found.isRunning()).to.equal(true);
      expect(found.isPaused).to.equal(false);
      await container.pause();
      expect(await test.engine.find(found.name, 'container')).to.have.property('isPaused', true);
      await container.unpause();
      await container[Symbol.asyncDispose]();
      expect(await found.isRunning()).to.equal(false);
    });
  });
});
