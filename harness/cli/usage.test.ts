import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { answer } from './command-line.js';
import { EXIT } from './exit.js';
import {
  isOneSentence,
  lastack,
  MAIN,
  start,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

/** What a command line comes to, without a process of its own: the code and what it says to a person. */
async function said(args: readonly string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  const { stdout, stderr } = process;
  const [write, complain] = [stdout.write, stderr.write];
  const texts = { stdout: '', stderr: '' };
  stdout.write = (text: string | Uint8Array) => {
    texts.stdout += String(text);
    return true;
  };
  stderr.write = (text: string | Uint8Array) => {
    texts.stderr += String(text);
    return true;
  };
  try {
    return { code: await answer(args), ...texts };
  } finally {
    stdout.write = write;
    stderr.write = complain;
  }
}

/** Wrong command lines, and what the one sentence must name. FOLDER is that of the test's own files. */
const WRONG: readonly (readonly [what: string, args: readonly string[], named: RegExp])[] = [
  ['an unknown command', ['reproduce'], /unknown command 'reproduce'/],
  ['an unknown option', ['repro', 'lost-final-ack', '--fualt', 'x'], /'--fualt'\n.*--fault/],
  ['no scenario to reproduce', ['repro'], /name/],
  ['an unknown scenario', ['repro', 'lost-final-akc'], /"lost-final-akc".*"lost-final-ack"/],
  ['a name of two scenarios', ['repro', 'at-once'], /handshake\/at-once, close\/at-once/],
  ['a suite with Toxiproxy beside another', ['run', 'toxiproxy', 'close'], /by themselves.*close/],
  ['Toxiproxy in another lab', ['run', 'toxiproxy', '--lab', 'virtual'], /leave out --lab/],
  ['a fault of no leg', ['repro', 'toxiproxy/down', '--fault', 'drop syn'], /of one leg.*recordVia/],
  ['many scenarios with Toxiproxy', ['repro', 'toxiproxy'], /name one: toxiproxy\/two-connections/],
  ['an unknown suite', ['run', 'clsoe'], /"clsoe".*"close"/],
  ['a name that is like no other', ['list', 'teapots'], /"teapots".*lastack list/],
  ['an unknown endpoint', ['repro', 'lost-final-ack', '--endpoint', 'lniux'], /"lniux".*"linux"/],
  ['an unknown endpoint that is like our own', ['run', '--client', 'stakc'], /"stakc".*"stack"/],
  ['an endpoint that is like none', ['run', '--endpoint', 'freebsd'], /"freebsd".*linux.*stack/],
  ['another version of our own TCP', ['run', '--server', 'stack@99'], /"stack@99".*stack@\d/],
  ['an endpoint of another version', ['run', '--endpoint', 'linux@2.4'], /"linux@2\.4".*linux@\d/],
  ['an unknown lab', ['run', '--lab', 'nets'], /"nets".*netns/],
  ['an unknown place for the wire', ['run', '--lab', 'docker', '--wire', 'sidecra'], /"sidecra".*"sidecar"/],
  ['a place for the wire where it has one only', ['run', '--wire', 'sidecar'], /netns lab.*--lab docker/],
  [
    'an engine for one side only',
    ['run', '--lab', 'docker', '--client-engine', 'x'],
    /take.*--server-engine and --network/,
  ],
  ['engines of no containers', ['run', '--network', 'x'], /add --lab docker/],
  ['an unknown requirement', ['run', '--requirement', 'MUST-1333'], /"MUST-1333".*"MUST-13"/],
  ['an IP version that is none', ['run', '--ip', '5'], /4 or 6/],
  ['eyes that are none', ['run', '--eyes', 'tracepiont'], /auto, tracepoint or sock_diag/],
  ['no jobs at once', ['run', '--jobs', '0'], /whole number from 1/],
  ['filters that leave nothing', ['run', 'handshake', '--tag', 'long'], /no scenario fits/],
  ['a tag that nothing has', ['list', '--tag', 'teapot'], /no scenario fits/],
  ['too many names', ['repro', 'lost-final-ack', 'lost-syn'], /too many arguments/],
  ['a fault that is no fault', ['repro', 'lost-syn', '--fault', 'drop finl-ack'], /column 6.*"final-ack"/],
  ['a fault that ends too early', ['repro', 'lost-syn', '--fault', 'drop'], /ends too early/],
  ['an empty fault', ['repro', 'lost-syn', '--fault', ''], /drop, delay, hold/],
  [
    'a missing plan',
    ['repro', 'lost-syn', '--plan', 'FOLDER/missing.yaml'],
    /missing\.yaml: there is no such/,
  ],
  ['a folder for a plan', ['repro', 'lost-syn', '--plan', 'FOLDER'], /folder/],
  ['a broken plan', ['repro', 'lost-syn', '--plan', 'FOLDER/broken.yaml'], /broken\.yaml:4/],
  [
    'a plan with an unknown role',
    ['repro', 'lost-syn', '--plan', 'FOLDER/role.yaml'],
    /role\.yaml:3.*final-ack/,
  ],
  ['a plan that is no list', ['repro', 'lost-syn', '--plan', 'FOLDER/object.json'], /object\.json:1/],
  [
    'a fault that no rule can be',
    ['rules', '--fault', 'drop final-ack once', '--port', '80'],
    /final-ack: only who follows/,
  ],
  ['rules of no fault', ['rules', '--port', '80'], /no fault.*--fault/],
  ['a queue with faults', ['rules', '--queue', '7', '--fault', 'drop syn', '--port', '80'], /leave them out/],
  ['a queue that is none', ['rules', '--queue', '70000', '--port', '80'], /65535/],
  ['rules without a place', ['rules', '--fault', 'drop syn'], /--port/],
  [
    'rules of tc without an interface',
    ['rules', '--fault', 'drop syn', '--port', '80', '--as', 'tc'],
    /--interface/,
  ],
  [
    'rules for no tool',
    ['rules', '--fault', 'drop syn', '--port', '80', '--as', 'ipfw'],
    /iptables, nft, tc/,
  ],
  ['a port that is none', ['rules', '--fault', 'drop syn', '--port', 'http'], /whole number/],
  ['an address that is none', ['rules', '--fault', 'drop syn', '--client', 'localhost'], /no IP address/],
  ['an empty plan', ['repro', 'lost-syn', '--plan', 'FOLDER/empty.yaml'], /empty\.yaml/],
];

describe('a wrong command line', () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = temporaryFolder();
    const file = (name: string): string => join(folder.path, name);
    writeFileSync(file('broken.yaml'), 'faults:\n  - drop final-ack\n  - [\n');
    writeFileSync(file('role.yaml'), 'faults:\n  - action: drop\n    match: {role: finale-ack}\n');
    writeFileSync(file('object.json'), '{"fault": []}');
    writeFileSync(file('empty.yaml'), '');
  });
  after(() => folder.remove());

  for (const [what, args, named] of WRONG) {
    it(`is told in one sentence of ${what}`, async () => {
      const { code, stdout, stderr } = await said(args.map((arg) => arg.replace('FOLDER', folder.path)));
      expect(stderr).to.match(named);
      expect(stderr).to.satisfy(isOneSentence);
      expect({ code, stdout }).to.deep.equal({ code: EXIT.usage, stdout: '' });
    });
  }

  it('ends the process with the code for usage', async () => {
    const { code, stdout, stderr } = await lastack(['repro', 'lost-final-akc'], { folder: folder.path });
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
    expect(stderr).to.satisfy(isOneSentence);
  });

  it('without a command shows the commands, and is wrong all the same', async () => {
    const { code, stderr } = await said([]);
    expect(code).to.equal(EXIT.usage);
    expect(stderr).to.include('repro').and.to.include('doctor');
  });
});

describe('a right command line', () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => folder.remove());

  for (const args of [['--help'], ['--version'], ['repro', '--help'], ['help', 'run']])
    it(`is "lastack ${args.join(' ')}": what was asked for is no error`, async () => {
      const { code, stdout, stderr } = await said(args);
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.not.equal('');
    });

  it('lists what fits a requirement', async () => {
    const { code, stdout } = await said(['list', '--requirement', 'NOID-31']);
    expect(code).to.equal(0);
    expect(stdout).to.include('close/lost-final-ack').and.to.not.include('handshake/numbers');
  });

  it('may have a reader that has heard enough', async () => {
    const child = start('sh', ['-c', `"${process.execPath}" "${MAIN}" list; echo "code $?" >&2`], {
      folder: folder.path,
    });
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    await new Promise((resolve) => child.once('close', resolve));
    expect(stderr).to.equal('code 0\n');
  });
});
