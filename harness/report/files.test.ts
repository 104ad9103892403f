import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { traceFromJson, traceWith } from '../trace/index.js';
import { ReportError, writeRunFiles, writeTogether } from './files.js';
import type { VerdictEntry } from './verdicts.js';

const trace = traceWith(
  { scenario: 'close/lost-final-ack', ipVersion: 6 },
  'client SYN',
  'server SYN,ACK',
  'client ACK',
);
const verdicts: readonly VerdictEntry[] = [
  { id: 'a', sentence: 'A holds.', requirements: [], judgement: { verdict: 'pass', finding: 'it does' } },
];

describe('the files of a run', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-files-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function refusal(attempt: Promise<unknown>): Promise<ReportError> {
    const error: unknown = await attempt.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof ReportError) return error;
    throw new Error('no ReportError was thrown', { cause: error });
  }

  it('are three, named by scenario and IP version, in a folder that is made', async () => {
    const out = join(folder, 'reports', 'today');
    const files = await writeRunFiles(out, { trace, verdicts });
    expect(readdirSync(out).toSorted()).to.deep.equal([
      'close-lost-final-ack-ipv6.pcapng',
      'close-lost-final-ack-ipv6.trace.json',
      'close-lost-final-ack-ipv6.verdicts.json',
    ]);
    expect(traceFromJson(readFileSync(files.trace, 'utf8'), { file: files.trace })).to.deep.equal(trace);
    const stored: unknown = JSON.parse(readFileSync(files.verdicts, 'utf8'));
    expect(stored).to.deep.include({
      format: 'lastack-verdicts',
      version: 1,
      scenario: 'close/lost-final-ack',
      verdicts,
    });
  });

  it('replace those of the run before', async () => {
    await writeRunFiles(folder, { trace, verdicts: [] });
    await writeRunFiles(folder, { trace, verdicts });
    expect(readdirSync(folder)).to.have.lengthOf(3);
  });

  it('are written side by side into a folder that all of them make', async () => {
    const out = join(folder, 'reports', 'of', 'today');
    const names = Array.from({ length: 20 }, (_, i) => `${i}.json`);
    await Promise.all(names.map((name) => writeTogether(out, [{ path: join(out, name), content: '' }])));
    expect(readdirSync(out)).to.have.members(names);
  });

  it('are refused in one sentence where a part of the path is a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    const error = await refusal(writeRunFiles(join(folder, 'file', 'reports'), { trace, verdicts }));
    expect(error.message).to.equal(
      `cannot write the report ${folder}/file/reports: a part of the path is a file: choose another folder with --out (ENOTDIR)`,
    );
  });

  it('are refused in one sentence, and at once, where no folder can be made', async () => {
    const refusal = await writeTogether('/proc/reports', []).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ReportError);
    expect(String(refusal)).to.contain('/proc/reports: no folder can be made there');
  });

  it('leave nothing half written when one of them cannot take its place', async () => {
    mkdirSync(join(folder, 'b'));
    const error = await refusal(
      writeTogether(folder, [
        { path: join(folder, 'b'), content: 'x' },
        { path: join(folder, 'c'), content: 'y' },
      ]),
    );
    expect(error.errno).to.equal('EISDIR');
    expect(readdirSync(folder)).to.deep.equal(['b']);
  });

  /** Writes the files in a process of its own, in a mount namespace where `mount` has prepared /mnt. */
  function writesIn(prepare: string, user = ''): { status: number | null; output: string } {
    const script = `
      import { writeRunFiles } from '${new URL('./files.js', import.meta.url).href}';
      import { traceWith } from '${new URL('../trace/index.js', import.meta.url).href}';
      import { readdirSync } from 'node:fs';
      const trace = traceWith({ scenario: 'a/b' }, 'client SYN', 'client ACK data=9000 again');
      await writeRunFiles('/mnt/out', { trace, verdicts: [] }).catch((error) => console.log(error.name + ': ' + error.message));
      console.log(readdirSync('/mnt/out'));`;
    const command = `${prepare} && exec ${user} ${process.execPath} --input-type=module -e "$SCRIPT"`;
    const run = spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', command], {
      encoding: 'utf8',
      env: { ...process.env, SCRIPT: script },
    });
    return { status: run.status, output: `${run.stdout}${run.stderr}` };
  }

  it('are refused in one sentence when the disk is full, and leave nothing behind', function () {
    const { status, output } = writesIn('mount -t tmpfs -o size=24k none /mnt && mkdir /mnt/out');
    if (status !== 0 && /unshare|mount/.test(output)) {
      console.log(`        (no mount namespace here: ${output.trim()})`);
      this.skip();
    }
    expect(output).to.equal(
      'ReportError: cannot write the report /mnt/out/a-b-ipv4.pcapng: the disk is full: free some space, or choose another folder with --out (ENOSPC)\n[]\n',
    );
  });

  it('are refused in one sentence where the file system is read-only', function () {
    const { status, output } = writesIn(
      'mount -t tmpfs none /mnt && mkdir /mnt/out && mount -t tmpfs -o ro none /mnt/out',
    );
    if (status !== 0 && /unshare|mount/.test(output)) {
      console.log(`        (no mount namespace here: ${output.trim()})`);
      this.skip();
    }
    expect(output).to.equal(
      'ReportError: cannot write the report /mnt/out/a-b-ipv4.trace.json: the file system is read-only: choose another folder with --out (EROFS)\n[]\n',
    );
  });
});
