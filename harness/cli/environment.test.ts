import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type Ended,
  ended,
  isOneSentence,
  lastack,
  MAIN,
  needsLabs,
  needsOrdinaryUser,
  needsRoot,
  ORDINARY,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

/** What `lastack` cannot mend: the exit code, and one sentence after whatever was printed before. */
function expectRefusal({ code, stderr }: Ended, named: RegExp): void {
  expect(stderr).to.match(named);
  expect(stderr).to.satisfy(isOneSentence);
  expect(code).to.equal(3);
}

describe('a machine that lacks something', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  describe('such as a place for the reports', () => {
    before(needsLabs);

    it('is told so before a run begins', async () => {
      writeFileSync(join(folder.path, 'taken'), '');
      const { path } = folder;
      const run = await lastack(['run', 'handshake/numbers', '--out', 'taken'], { folder: path });
      expectRefusal(run, /taken.*--out/);
      expect(run.stdout).to.equal('');
    });

    it('is told so, and sees the ladder all the same', async () => {
      writeFileSync(join(folder.path, 'taken'), '');
      const { path } = folder;
      const run = await lastack(['repro', 'handshake/numbers', '--out', 'taken/x'], { folder: path });
      expectRefusal(run, /taken\/x.*a part of the path is a file.*--out/);
      expect(run.stdout).to.include('handshake ACK');
    });

    it('is told so where a user may not write', async function () {
      needsOrdinaryUser.call(this);
      const out = join(folder.path, 'not-yours');
      mkdirSync(out, { mode: 0o755 });
      const run = await lastack(['run', 'handshake/numbers', '--out', out], {
        folder: folder.path,
        uid: ORDINARY,
      });
      expect(run.stderr).to.match(/^lastack: cannot write the report .*you may not write there.*--out.*$/m);
      expect(run.code).to.equal(3);
    });

    for (const [command, name] of [
      ['repro', 'handshake/numbers'],
      ['run', 'handshake/numbers'],
    ] as const)
      it(`is told by "${command}" that the disk is full, and finds nothing half written`, async function () {
        needsRoot.call(this);
        const disk = join(folder.path, 'disk');
        mkdirSync(disk);
        // The summary that begins a run fits, and the traces do not.
        const script = `mount -t tmpfs -o size=16k none "${disk}" && "${process.execPath}" "${MAIN}" ${command} ${name} --out "${disk}"
          code=$?; find "${disk}" -name '*.tmp' -o -name '*.trace.json'; exit $code`;
        const run = await ended(start('unshare', ['--mount', 'sh', '-c', script], { folder: folder.path }));
        expectRefusal(run, /the disk is full: free some space, or choose another folder with --out/);
        expect(run.stdout).to.not.match(/\.tmp$|\.trace\.json$/m);
      });
  });

  describe('such as user namespaces', () => {
    before(needsOrdinaryUser);

    /** As a user who may make no namespace: one of a namespace whose limit is 0, without a capability. */
    const withoutNamespaces = (args: readonly string[]): Promise<Ended> => {
      const words = args.map((arg) => `"${arg}"`).join(' ');
      const script = `echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all "${process.execPath}" "${MAIN}" ${words}`;
      const unshare = ['--user', '--map-root-user', 'sh', '-c', script];
      return ended(start('unshare', unshare, { folder: folder.path }));
    };

    it('is told which setting forbids them, and what to do', async () => {
      const run = await withoutNamespaces(['repro', 'lost-final-ack']);
      expectRefusal(run, /user\.max_user_namespaces is 0.*sudo sysctl user\.max_user_namespaces=10000/);
      expect(run.stdout).to.equal('');
      expect(existsSync(join(folder.path, 'reports'))).to.equal(false);
    });

    it('is told so by the doctor, and that labs cannot be made', async () => {
      const { code, stdout } = await withoutNamespaces(['doctor']);
      expect(code).to.equal(3);
      expect(stdout).to.match(/^[✗X] netns lab .*user\.max_user_namespaces is 0/m);
    });

    it('is told that unshare(1) is missing', async () => {
      const env = { PATH: join(folder.path, 'empty') };
      const run = await lastack(['repro', 'lost-final-ack'], { folder: folder.path, uid: ORDINARY, env });
      expectRefusal(run, /"unshare" is missing.*util-linux/);
    });
  });

  it('is examined by the doctor, which ends well where labs can be made', async function () {
    needsLabs.call(this);
    const { code, stdout, stderr } = await lastack(['doctor'], { folder: folder.path });
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    for (const part of [
      'node',
      'netns lab',
      'tracepoint',
      'sock_diag',
      'docker',
      'compose',
      'toxiproxy',
      'tshark',
    ])
      expect(stdout).to.match(new RegExp(`^[✓✗+X] ${part} +\\S`, 'm'));
  });

  it('has a run end with both figures, and a summary of it', async function () {
    needsLabs.call(this);
    const run = await lastack(['run', 'handshake/numbers', '--out', 'out'], { folder: folder.path });
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout)
      .to.match(/handshake\/numbers ipv4 .*\[\d of 2\]\n/)
      .and.to.match(/^the run took /m);
    const summary: { scenarios: unknown[] } = JSON.parse(
      readFileSync(join(folder.path, 'out', 'summary.json'), 'utf8'),
    );
    expect(summary.scenarios).to.have.lengthOf(2);
  });
});
