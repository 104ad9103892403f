import { once } from 'node:events';
import { expect } from 'chai';
import { rulesCapability } from '../wire/index.js';
import {
  isOneSentence,
  lastack,
  MAIN,
  needsOrdinaryUser,
  ORDINARY,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

describe('lastack rules', () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => folder.remove());

  const rules = (...args: readonly string[]) => lastack(['rules', ...args], { folder: folder.path });

  it('prints the commands with what they do, and those that remove them, to anybody', async () => {
    const { code, stdout, stderr } = await rules('--fault', 'drop client.syn once', '--port', '80');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout)
      .to.match(/^# iptables, on the server's host$/m)
      .and.to.match(/^# fault 1: drop client\.syn once\niptables .*--dport 80/m)
      .and.to.match(/^# takes all of it away again$/m)
      .and.to.match(/^ip6tables .*-D INPUT/m);
  });

  it('chooses the side that receives', async () => {
    const { stdout } = await rules('--fault', 'drop syn-ack', '--port', '80', '--as', 'nft');
    expect(stdout).to.match(/^# nft, on the client's host$/m);
  });

  it('applies them until it is told to end, and shows what they count', async function () {
    const { works, sentence } = rulesCapability('nft');
    if (!works) {
      process.stderr.write(`skipped: ${sentence}\n`);
      this.skip();
    }
    // In a namespace of its own, where nobody else has rules; its shell looks what is left.
    const command = `"${process.execPath}" "${MAIN}" rules --fault "drop client.syn once" --port 80 --as nft --apply`;
    const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
    const script = `trap : INT; ${command}; code=$?; echo "ended with $code"; nft list ruleset; echo over`;
    const child = start('unshare', [...asRoot, '--net', 'sh', '-c', script], {
      folder: folder.path,
      isLeader: true,
    });
    let said = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // The whole group, as a terminal does.
      if (said.includes('matched 0, acted on 0\n') && child.pid !== undefined)
        process.kill(-child.pid, 'SIGINT');
    });
    await once(child, 'close');
    expect(said).to.match(/drop client\.syn once: matched 0, acted on 0\nended with 130\nover\n$/);
  });

  it('says in one sentence that a user may not apply them', async function () {
    needsOrdinaryUser.call(this);
    const args = ['rules', '--fault', 'drop client.syn', '--port', '80', '--as', 'nft', '--apply'];
    const { code, stderr } = await lastack(args, { folder: folder.path, uid: ORDINARY });
    expect(stderr).to.satisfy(isOneSentence);
    expect(code).to.equal(3);
  });
});
