import { spawnSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Engine, imageName, imagesState } from '../docker/index.js';
import { messageOf, packageVersion } from '../text/index.js';
import {
  type Ended,
  ended,
  isOneSentence,
  lastack,
  ORDINARY,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const PACKAGE = fileURLToPath(new URL('../../..', import.meta.url));
const PROJECT = `lastack-compose-${process.pid}`;
/** The one is a part of the client, the other a program of its own; they take the same of what is used here. */
const WAYS = [['docker-compose'], ['docker', 'compose']] as const;

describe('lastack compose', () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => folder.remove());

  for (const [what, args, said] of [
    ['which project is meant', [], /which compose project is meant\? Name it \(--project\)/],
    ['that there is no such scenario', ['lost-final-akc'], /"lost-final-akc".*"lost-final-ack"/],
    ['that a scenario has a scripted peer', ['--project', 'p', 'into-syn-sent'], /scripted peer/],
    ['that a toxic is none', ['--toxic', 'latncy 100ms'], /latncy/],
  ] as const)
    it(`says in one sentence ${what}`, async () => {
      const { code, stdout, stderr } = await lastack(['compose', ...args], { folder: folder.path });
      expect(stderr).to.match(said).and.to.satisfy(isOneSentence);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    });

  it('says in one sentence that the engine is away', async () => {
    const env = { DOCKER_HOST: `unix://${join(folder.path, 'nobody.sock')}` };
    const { code, stdout, stderr } = await lastack(['compose', '--project', 'p'], {
      folder: folder.path,
      env,
    });
    expect(stderr)
      .to.match(/nobody\.sock.*DOCKER_HOST/)
      .and.to.satisfy(isOneSentence);
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' });
  });
});

describe('docker-compose.yml', function () {
  // Seconds where nothing else runs.
  this.timeout(300_000);
  let engine: Engine | undefined;
  let way: readonly string[] = [];
  let folder: TemporaryFolder;
  let mounts: readonly string[] = [];

  before(async function () {
    folder = temporaryFolder();
    const reason = await missing();
    if (reason === undefined) return arrange();
    process.stderr.write(`skipped: ${reason}\n`);
    this.skip();
  });
  after(async () => {
    if (way.length > 0) await composed('down', '-v');
    await engine?.[Symbol.asyncDispose]();
    folder.remove();
  });

  async function missing(): Promise<string | undefined> {
    try {
      engine = await Engine.connect();
    } catch (error) {
      return messageOf(error);
    }
    const found = WAYS.find(([file, ...args]) => spawnSync(file, [...args, 'version']).status === 0);
    if (found === undefined) return 'there is no docker-compose';
    for (const kind of ['endpoint', 'tools', 'toxiproxy', 'wire'] as const)
      if (!(await engine.hasImage(imageName(kind))))
        return `there is no ${imageName(kind)} ("lastack images build")`;
    way = found;
    return undefined;
  }

  /** A copy of the file, with a folder of somebody else for the reports. An image of another checkout runs what is here. */
  async function arrange(): Promise<void> {
    copyFileSync(join(PACKAGE, 'docker-compose.yml'), join(folder.path, 'docker-compose.yml'));
    const reports = join(folder.path, 'reports');
    mkdirSync(reports);
    if (process.geteuid?.() === 0) chownSync(reports, ORDINARY, ORDINARY);
    const states = engine === undefined ? [] : await imagesState(engine.docker);
    const isFresh = states.find(({ kind }) => kind === 'wire')?.isUpToDate ?? false;
    mounts = isFresh ? [] : [`${join(PACKAGE, 'dist')}:/lastack/dist:ro`];
    override({});
  }

  function override(server: object): void {
    const ours = mounts.length === 0 ? {} : { volumes: mounts };
    // JSON is YAML, too.
    const services = { wire: ours, harness: ours, server };
    writeFileSync(join(folder.path, 'docker-compose.override.yml'), JSON.stringify({ services }));
  }

  function composed(...args: readonly string[]): Promise<Ended> {
    const [file = '', ...before] = way;
    return ended(start(file, [...before, '-p', PROJECT, ...args], { folder: folder.path }));
  }

  const up = (): Promise<Ended> => composed('up', '--exit-code-from', 'harness');

  /** Of the project, and what lives in the networks of its containers. */
  async function left(): Promise<readonly string[]> {
    const { docker } = engine ?? (await Engine.connect());
    const containers = await docker.listContainers({ all: true });
    const networks = await docker.listNetworks();
    const isOurs = (labels: Readonly<Record<string, string>> | undefined): boolean =>
      labels?.['com.docker.compose.project'] === PROJECT;
    const ids = containers.filter(({ Labels }) => isOurs(Labels)).map(({ Id }) => Id);
    const beside = containers.filter(({ HostConfig: { NetworkMode = '' } }) =>
      ids.some((id) => NetworkMode === `container:${id}`),
    );
    const names = networks.filter(({ Labels }) => isOurs(Labels)).map(({ Name }) => Name);
    return [...new Set([...ids, ...beside.map(({ Id }) => Id)]), ...names];
  }

  const reported = (ending: string): readonly string[] =>
    readdirSync(join(folder.path, 'reports', 'compose'))
      .filter((name) => name.endsWith(ending))
      .map((name) => join(folder.path, 'reports', 'compose', name));

  it('has the images of this version', () => {
    const text = readFileSync(join(PACKAGE, 'docker-compose.yml'), 'utf8');
    const versions = [...text.matchAll(/image: lastack\/\w+:(\S+)/g)].map(([, version]) => version);
    expect(versions).to.have.lengthOf(5);
    expect(new Set(versions)).to.deep.equal(new Set([packageVersion()]));
  });

  it('runs the whole story by itself: exit code, ladders, verdicts, captures', async () => {
    expect(await left()).to.deep.equal([]);
    const { code, stdout, stderr } = await up();
    expect(code, `${stdout}\n${stderr}`).to.equal(0);
    expect(stdout).to.match(/final ACK ──✗ dropped by fault 1/);
    expect(stdout).to.match(/✓ pass +A FIN of the server that got lost is sent again/);
    expect(stdout).to.match(/What the server says goes on 100 ms after it came to the proxy/);
    expect(reported('.pcapng').map((file) => file.replace(/^.*\//, ''))).to.have.members([
      'close-lost-final-ack-ipv4.pcapng',
      'compose-through-toxiproxy-client-leg-ipv4.pcapng',
      'compose-through-toxiproxy-server-leg-ipv4.pcapng',
    ]);
    expect(reported('.trace.json')).to.have.lengthOf(3);
  });

  it('leaves reports that belong to whoever has the folder, with verdicts none of which is a failure', () => {
    const { uid } = statSync(join(folder.path, 'reports'));
    const verdicts = reported('.verdicts.json').map((file) => {
      expect(statSync(file).uid).to.equal(uid);
      return readFileSync(file, 'utf8');
    });
    expect(verdicts).to.have.lengthOf(3);
    for (const text of verdicts)
      expect(text)
        .to.match(/"verdict": ?"pass"/)
        .and.not.match(/"verdict": ?"(fail|error)"/);
  });

  it('leaves captures that tshark reads', function () {
    for (const file of reported('.pcapng')) {
      const args = ['-r', file, '-Y', 'tcp.flags.fin == 1', '-T', 'fields', '-e', 'tcp.stream'];
      const { error, status, stdout } = spawnSync('tshark', args, { encoding: 'utf8' });
      if (error !== undefined) {
        process.stderr.write('skipped: there is no tshark\n');
        return this.skip();
      }
      expect(status).to.equal(0);
      expect(stdout.trim().split('\n').length).to.be.at.least(2);
    }
  });

  it('runs again, and fails when the server ends the connection before its client does', async () => {
    writeFileSync(join(folder.path, 'nginx.conf'), closingServer());
    override({ volumes: [`${join(folder.path, 'nginx.conf')}:/etc/nginx/nginx.conf:ro`] });
    const { code, stdout, stderr } = await up();
    expect(code, `${stdout}\n${stderr}`).to.equal(1);
    expect(stdout).to.match(/the program closed the connection before its client did/);
  });

  it('leaves nothing when it is taken down', async () => {
    expect(await left()).to.not.deep.equal([]);
    const { code } = await composed('down', '-v');
    expect(code).to.equal(0);
    expect(await left()).to.deep.equal([]);
  });

  it('is told in one sentence to mount the socket of the engine', async () => {
    if (engine === undefined) throw new Error('there is an engine');
    await using harness = await engine.start({
      image: imageName('wire'),
      purpose: 'harness without a socket',
      command: ['compose'],
      mounts: mounts.map((mount) => ({
        source: mount.split(':')[0] ?? '',
        target: '/lastack/dist',
        readOnly: true,
      })),
      stdio: true,
    });
    expect((await harness.ended).exitCode).to.equal(3);
    const said = await harness.logs();
    expect(said)
      .to.match(/mount its socket into the service/)
      .and.to.satisfy(isOneSentence);
  });
});

/** Ends each connection with its answer. */
const closingServer = (): string =>
  readFileSync(join(PACKAGE, 'images', 'tools', 'nginx.conf'), 'utf8').replace(
    'http {',
    'http {\n  keepalive_timeout 0;',
  );
