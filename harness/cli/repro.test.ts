import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { allScenarios } from '../../suites/index.js';
import { judge } from '../check/index.js';
import { traceFromJson } from '../trace/index.js';
import {
  type Ended,
  lastack,
  needsLabs,
  needsOrdinaryUser,
  needsRoot,
  needsTracepoints,
  ORDINARY,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

/** The verdict and sentence of each check that was printed: what must be the same each time, without what was measured. */
const verdictsOf = ({ stdout }: Ended): readonly string[] =>
  stdout
    .split('\n')
    .filter((line) => /^ {2}\S (pass|non-strict|info|fail|inconclusive|unsupported|error) /.test(line));

const WITHIN_MS = 5000;

describe('lastack repro', () => {
  let folder: TemporaryFolder;
  before(needsLabs);
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  const run = (args: readonly string[], uid?: number): Promise<Ended> =>
    lastack(['repro', ...args, '--out', join(folder.path, 'out')], {
      folder: folder.path,
      ...(uid === undefined ? {} : { uid }),
    });
  const written = (name: string): string => readFileSync(join(folder.path, 'out', name), 'utf8');

  async function showsTheLostAck(uid?: number): Promise<Ended> {
    const first = await run(['lost-final-ack'], uid);
    expect(first.stderr + first.stdout).to.match(/final ACK.*dropped by fault 1/);
    expect(first.code, first.stderr).to.equal(0);
    expect(first.tookMs).to.be.below(WITHIN_MS);
    for (const words of ['LAST-ACK', 'TIME-WAIT', 'FIN of the passive closer, 2nd copy', 'RFC 9293 §'])
      expect(first.stdout).to.include(words);
    for (const [, file = ''] of first.stdout.matchAll(/^(?:capture|trace|verdicts): +(.+)$/gm))
      expect(existsSync(file), file).to.equal(true);
    expect(verdictsOf(first)).to.have.length.above(5);
    const second = await run(['lost-final-ack'], uid);
    expect(verdictsOf(second)).to.deep.equal(verdictsOf(first));
    return first;
  }

  describe('as root', () => {
    before(needsRoot);

    it('shows the lost final ACK within 5 s, with the same verdicts each time', async () => {
      const { stderr } = await showsTheLostAck();
      expect(stderr).to.equal('');
    });

    it('watches by tracepoints', async function () {
      needsTracepoints.call(this);
      await run(['lost-final-ack']);
      expect(written('close-lost-final-ack-ipv4.trace.json')).to.match(/"eyes": \[\s*"tracepoint"/);
    });
  });

  describe('as an ordinary user', () => {
    before(needsOrdinaryUser);

    it('shows the lost final ACK within 5 s, with the same verdicts each time', async () => {
      const { stderr } = await showsTheLostAck(ORDINARY);
      expect(stderr).to.equal('lastack: without root, labs are made in a user namespace\n');
      expect(written('close-lost-final-ack-ipv4.trace.json')).to.not.include('"tracepoint"');
    });
  });

  it('plays over IPv6, and watches with the eyes that it was told to', async () => {
    const { code, stdout } = await run(['lost-final-ack', '--ip', '6', '--eyes', 'sock_diag']);
    expect(code).to.equal(0);
    expect(stdout)
      .to.include('IPv6')
      .and.to.match(/fd00::/);
    expect(written('close-lost-final-ack-ipv6.trace.json')).to.not.include('"tracepoint"');
  });

  it('adds faults of the command line and of a plan to those of the scenario', async () => {
    const plan = join(folder.path, 'plan.yaml');
    writeFileSync(plan, '- delay 1st copy of client.syn by 20ms\n');
    const args = ['close/four-way', '--fault', 'drop final-ack once', '--plan', plan];
    const { code, stdout } = await run(args);
    expect(stdout)
      .to.match(/final ACK.*dropped by fault 1/)
      .and.to.match(/SYN .*by fault 2/);
    expect(code).to.equal(0);
  });

  it('calls it inconclusive when a fault matches nothing', async () => {
    const { code, stdout } = await run(['handshake/numbers', '--fault', 'drop final-ack once']);
    expect(stdout).to.match(/^verdict: inconclusive/m);
    expect(stdout).to.include('matched no segment');
    expect(code).to.equal(1);
  });

  it('writes a trace that can be judged again, with the same verdicts', async () => {
    await run(['lost-final-ack']);
    const file = 'close-lost-final-ack-ipv4.trace.json';
    const trace = traceFromJson(written(file), { file });
    const { verdicts }: { verdicts: { id: string; judgement: unknown }[] } = JSON.parse(
      written('close-lost-final-ack-ipv4.verdicts.json'),
    );
    const scenario = allScenarios.find(({ id }) => id === trace.scenario);
    const checks = scenario?.checks ?? [];
    expect(checks).to.have.length.above(5);
    const again = judge(trace, checks).map(({ check, judgement }) => ({ id: check, judgement }));
    const stored = verdicts.slice(0, checks.length).map(({ id, judgement }) => ({ id, judgement }));
    expect(again).to.deep.equal(stored);
  });
});
