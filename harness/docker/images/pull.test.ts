import { expect } from 'chai';
import type { Engine } from '../engine/index.js';
import { needsEngine } from './engine.fixture.js';
import { idOf } from './image-build.js';
import { pull, registryOf } from './pull.js';
import { registry } from './registry.fixture.js';

describe('the registry of an image', () => {
  for (const [image, host] of [
    ['debian:trixie-slim', 'docker.io'],
    ['library/debian', 'docker.io'],
    ['ghcr.io/shopify/toxiproxy:2.12.0', 'ghcr.io'],
    ['localhost/debian', 'localhost'],
    ['127.0.0.1:5000/debian:1', '127.0.0.1:5000'],
  ] as const)
    it(`${image} is ${host}`, () => {
      expect(registryOf(image)).to.equal(host);
    });
});

describe('pulling an image', function () {
  this.timeout(30_000);
  let engine: Engine;
  before(async function () {
    engine = await needsEngine(this);
    if (engine.isLocal) return;
    process.stderr.write(
      'skipped: the Docker engine is elsewhere and cannot reach a registry of this test\n',
    );
    this.skip();
  });
  after(() => engine?.[Symbol.asyncDispose]());
  const { signal } = new AbortController();
  const quiet = { onStep: () => {}, signal };

  it('brings it from a registry that has it, and says how far it is', async () => {
    await using there = await registry();
    const steps: string[] = [];
    try {
      const reason = await pull(engine.docker, there.image, {
        onStep: ({ doing }) => steps.push(doing),
        signal,
      });
      expect(reason).to.equal(undefined);
      expect(await idOf(engine.docker, there.image)).to.match(/^sha256:/);
      expect(steps[0]).to.equal(`asking ${there.host} for ${there.image}`);
      // What is there is not asked for again.
      const asked = there.requests.length;
      expect(await pull(engine.docker, there.image, quiet)).to.equal(undefined);
      expect(there.requests).to.have.lengthOf(asked);
    } finally {
      await engine.docker.getImage(there.image).remove();
    }
  });

  it('is soon over where nobody answers, and that is remembered', async () => {
    const { host, ...gone } = await registry();
    await gone[Symbol.asyncDispose]();
    const reason = await pull(engine.docker, `${host}/small:1`, quiet);
    expect(reason).to.match(new RegExp(`^${host}: .*refused`));
    expect(await pull(engine.docker, `${host}/another:1`, quiet)).to.equal(reason);
  });

  it('does not wait for a registry that takes the question and says nothing', async () => {
    await using mute = await registry({ isMute: true });
    const beganMs = performance.now();
    const reason = await pull(engine.docker, mute.image, { ...quiet, patienceMs: 500 });
    expect(reason).to.equal(`${mute.host} said nothing for 0.5 s`);
    expect(performance.now() - beganMs).to.be.within(490, 5000);
  });

  it('that the registry does not have says so', async () => {
    await using there = await registry();
    expect(await pull(engine.docker, `${there.host}/small:2`, quiet)).to.match(
      /^127\.0\.0\.1:\d+: (?!.*HTTP code).*(manifest unknown|not found)/,
    );
  });
});
