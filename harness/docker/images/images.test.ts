import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { BuildError, Workshop } from '../../uml/index.js';
import { Engine } from '../engine/index.js';
import { bootstrapBase } from './bootstrap.js';
import { needsEngine, onTheWay, removeAll, testRepository } from './engine.fixture.js';
import { ensureImage, ensureImages } from './ensure-images.js';
import { ImageBuild, idOf, LABEL } from './image-build.js';
import { imagesState } from './images-state.js';
import { imageName, REPOSITORY } from './kinds.js';
import { toxiproxyServer } from './toxiproxy-server.js';
import type { Making } from './ways.js';

/** HELLO of docs/agent-protocol.md, with versions 1 to 1. */
const HELLO = Buffer.from('00000010000100000000000700000000' + '00010001', 'hex');

describe('the images of an engine', function () {
  this.timeout(60_000);
  const repository = testRepository();
  const name = imageName('endpoint', repository);
  let engine: Engine;
  before(async function () {
    engine = await needsEngine(this);
  });
  after(async () => {
    if (engine === undefined) return;
    await removeAll(engine, repository);
    await engine[Symbol.asyncDispose]();
  });
  const build = (options = {}) =>
    ensureImage(engine.docker, 'endpoint', () => {}, { repository, ...options });

  it('the endpoint is built from nothing, small, and says how', async () => {
    const steps: string[] = [];
    await ensureImages(engine.docker, ['endpoint'], (kind, { doing }) => steps.push(`${kind}: ${doing}`), {
      repository,
    });
    expect(steps[0]).to.equal('endpoint: compiling the agent');
    expect(steps).to.include('endpoint: step 3 of 5, COPY agent /agent');
    const state = (await imagesState(engine.docker, repository)).find(({ kind }) => kind === 'endpoint');
    expect(state).to.include({ name, isThere: true, isUpToDate: true });
    expect(state?.octets).to.be.within(1e5, 5e6);
    expect(await onTheWay(engine, name)).to.deep.equal([]);
  });

  it('the endpoint answers HELLO on its standard output, as nobody and without capabilities', async () => {
    await build();
    await using container = await engine.start({
      image: name,
      purpose: 'test of images',
      network: 'none',
      readOnly: true,
      stdio: true,
    });
    container.stdio.stdin.write(HELLO);
    const [reply] = await Promise.race([
      once(container.stdio.stdout),
      container.ended.then(({ sentence }) => Promise.reject(new Error(sentence))),
    ]);
    expect(reply.readUInt16BE(4)).to.equal(0x8001);
    expect(reply.readUInt16BE(6)).to.equal(0);
    expect(reply.readUInt32BE(8)).to.equal(7);
    expect(reply.toString('latin1')).to.include('linux@');
    container.stdio.stdin.end();
    expect((await container.ended).exitCode).to.equal(0);
  });

  it('one that is up to date is not built again, unless that is asked for', async () => {
    await build();
    const before = await idOf(engine.docker, name);
    expect(await build()).to.include({ name, isNew: false });
    expect(await idOf(engine.docker, name)).to.equal(before);
    expect(await build({ force: true })).to.include({ name, isNew: true });
    expect(await idOf(engine.docker, name)).to.not.equal(before);
    expect(await idOf(engine.docker, String(before))).to.equal(undefined);
  });

  it('two that build the same at once do no harm', async () => {
    await using another = await Engine.connect();
    const other = ensureImage(another.docker, 'endpoint', () => {}, { repository, force: true });
    await Promise.all([build({ force: true }), other]);
    expect(await build()).to.include({ isNew: false });
    expect(await onTheWay(engine, name)).to.deep.equal([]);
  });

  it('one that is asked for twice in a process is built once', async () => {
    const [one, two] = await Promise.all([build({ force: true }), build({ force: true })]);
    expect(one).to.equal(two);
  });

  it('a build that is interrupted leaves the image as it was, and nothing on the way', async () => {
    await build();
    const before = await idOf(engine.docker, name);
    const interrupted = new AbortController();
    const building = ensureImage(
      engine.docker,
      'endpoint',
      (_, { doing }) => {
        if (doing.includes('USER')) interrupted.abort();
      },
      { repository, force: true, signal: interrupted.signal },
    );
    expect(await building.catch((error: Error) => error.name)).to.equal('AbortError');
    expect(await idOf(engine.docker, name)).to.equal(before);
    expect(await onTheWay(engine, name)).to.deep.equal([]);
  });

  it('a build whose step fails leaves nothing either', async () => {
    const { signal } = new AbortController();
    const image = new ImageBuild(engine.docker, { [LABEL.name]: name }, { onStep: () => {}, signal });
    const dockerfile = Buffer.from('FROM scratch\nUSER 1\nCOPY missing /\n');
    const failing = image.build({ files: [{ path: 'Dockerfile', content: dockerfile, mode: 0o644 }] }, {});
    expect(await failing.catch((error: Error) => error.message)).to.match(/COPY failed|missing/);
    expect(await onTheWay(engine, name)).to.deep.equal([]);
  });
});

const once = (stream: NodeJS.ReadableStream): Promise<[Buffer]> =>
  new Promise((resolve) => stream.once('data', (octets: Buffer) => resolve([octets])));

describe('where no registry answers', () => {
  const { PATH, LASTACK_CACHE } = process.env;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-images-'));
    process.env.PATH = folder;
    process.env.LASTACK_CACHE = join(folder, 'cache');
  });
  afterEach(() => {
    process.env.PATH = PATH;
    if (LASTACK_CACHE === undefined) delete process.env.LASTACK_CACHE;
    else process.env.LASTACK_CACHE = LASTACK_CACHE;
    rmSync(folder, { recursive: true });
  });

  for (const [what, make, installs] of [
    ['the base', bootstrapBase, /mmdebstrap.*"apt-get install mmdebstrap"/],
    ['Toxiproxy', toxiproxyServer, /Go.*"apt-get install golang-go"/],
  ] as const)
    it(`and the tool is missing, ${what} names what installs it`, async () => {
      await using workshop = new Workshop('test');
      // They use no engine.
      const making = {
        workshop,
        onStep: () => {},
        signal: new AbortController().signal,
        repository: REPOSITORY,
      };
      const refusal = await make(making as unknown as Making, 'ARG RELEASED=toxiproxy:1.2.3\n').catch(
        (error: unknown) => error,
      );
      expect(refusal).to.be.instanceOf(BuildError);
      expect(String(refusal)).to.match(installs);
      expect(readdirSync(join(folder, 'cache', 'build'))).to.have.lengthOf(1);
    });
});
