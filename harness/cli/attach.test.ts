import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { countRules } from '../lab/index.js';
import { attached, needsAttach, PORT, Service } from './attached.fixture.js';
import {
  type Ended,
  isOneSentence,
  lastack,
  needsOrdinaryUser,
  needsRoot,
  ORDINARY,
  type TemporaryFolder,
  temporaryFolder,
} from './spawned.fixture.js';

const PORT_ARGS = ['--port', String(PORT)];
const PCAPNG_MAGIC = 0x0a0d0d0a;

function expectRefusal({ code, stderr }: Ended, named: RegExp, expected: number): void {
  expect(stderr).to.match(named);
  expect(stderr).to.satisfy(isOneSentence);
  expect(code).to.equal(expected);
}

describe('lastack attach', () => {
  let folder: TemporaryFolder;
  let service: Service;
  before(function () {
    needsRoot.call(this);
    needsAttach.call(this);
  });
  beforeEach(async () => {
    folder = temporaryFolder();
    service = new Service();
    await service.start();
  });
  afterEach(async () => {
    await service[Symbol.asyncDispose]();
    folder.remove();
  });

  const attach = (...args: readonly string[]) =>
    attached([String(service.pid), ...PORT_ARGS, ...args], { folder: folder.path });
  const rules = (): number => countRules(service.namespace);

  it('loses the final ACK of a running service, shows how it is repaired, and leaves nothing behind', async () => {
    const pcap = join(folder.path, 'lost.pcapng');
    const run = await attach(
      '--fault',
      'drop final-ack once',
      '--pcap',
      pcap,
      '--until',
      '2nd copy of final-ack',
    );
    expect(rules()).to.be.oneOf([4, 8]);
    const connection = await service.speak();
    await connection.close();
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).to.equal('');
    expect(stdout).to.match(/port 5432 listens at 0\.0\.0\.0, 0 connections/);
    expect(stdout).to.match(/final ACK.*dropped by fault 1/);
    expect(stdout).to.match(/2nd copy/);
    for (const state of ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK']) expect(stdout).to.include(state);
    expect(stdout).to.match(/fault 1 \(drop final-ack once\): matched 2, acted on 1$/m);
    expect(stdout).to.match(/left behind: nothing \((\d) of \1 rules taken out again\)/);
    expect(readFileSync(pcap).readUInt32LE(0)).to.equal(PCAPNG_MAGIC);
    expect(code).to.equal(0);
    expect(rules()).to.equal(0);
  });

  it('shows each segment soon after it has come, not at the end', async () => {
    const run = await attach();
    const connection = await service.speak();
    await run.says(/SYN,ACK.*handshake ACK.*len=5/s);
    expect(run.child.exitCode).to.equal(null);
    await service.echo(connection, 'more text');
    await run.says(/len=9/);
    run.child.kill('SIGINT');
    expect((await run.ended).code).to.equal(0);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    it(`ends with its receipt at ${signal}`, async () => {
      const run = await attach('--fault', 'drop rst');
      await service.speak();
      run.child.kill(signal);
      const { code, stdout } = await run.ended;
      expect(stdout).to.match(/fault 1 \(drop rst\): matched 0, acted on 0: inconclusive/);
      expect(stdout).to.match(/seen: \d+ segments of 1 connection$/m);
      expect(code).to.equal(1);
      expect(rules()).to.equal(0);
    });

  it('stays for the time that it is told', async () => {
    const { code, stdout } = await (await attach('--for', '300ms')).ended;
    expect(stdout).to.match(/seen: nothing: no segment to or from port 5432 came or left there/);
    expect(code).to.equal(0);
  });

  it('says what it has waited for in vain', async () => {
    const { code, stdout } = await (await attach('--for', '300ms', '--until', 'final-ack')).ended;
    expect(stdout).to.include('no segment matched "final-ack" in that time');
    expect(code).to.equal(1);
  });

  it('says of a port where nobody listens that nothing was seen', async () => {
    const run = await attached([String(service.pid), '--port', '7', '--for', '300ms'], {
      folder: folder.path,
    });
    const { code, stdout } = await run.ended;
    expect(stdout).to.match(/nothing listens at port 7, 0 connections/);
    expect(stdout).to.match(/seen: nothing: no segment to or from port 7/);
    expect(code).to.equal(0);
  });

  it('says of connections that said nothing that they are there', async () => {
    await service.speak();
    const { stdout } = await (await attach('--for', '300ms')).ended;
    expect(stdout).to.include('seen: nothing: the connection at port 5432 said nothing');
  });

  it('says that the process has ended meanwhile, and shows what was seen', async () => {
    const run = await attach();
    await service.speak();
    service.kill();
    const { code, stdout, stderr } = await run.ended;
    expectRefusal({ code, stdout, stderr, tookMs: 0 }, /process \d+ \(node.*\) has ended while/, 3);
    expect(stdout)
      .to.include('handshake ACK')
      .and.to.match(/left behind: nothing/);
    expect(rules()).to.equal(0);
  });

  it('killed, lets traffic flow by itself, and "clean" takes away the rules that it left', async () => {
    const run = await attach('--fault', 'drop data');
    const connection = await service.connect();
    await connection.send(Buffer.from('hello'));
    await run.says(/dropped by fault 1/);
    run.child.kill('SIGKILL');
    await run.ended;
    // TCP sends it again, and nobody drops it any more.
    expect(String((await connection.receiveAll({ octets: 5 })).data)).to.equal('hello');
    const left = rules();
    expect(left).to.be.oneOf([4, 8]);
    const { code, stdout } = await lastack(['clean'], { folder: folder.path });
    expect(Number(/ (\d+) removed/.exec(stdout)?.[1])).to.be.at.least(left);
    expect(code).to.equal(0);
    expect(rules()).to.equal(0);
    await service.speak();
  });

  it('is not cleaned away while it is attached', async () => {
    const run = await attach();
    const { stdout } = await lastack(['clean'], { folder: folder.path });
    // Others may be attached on this machine as well.
    expect(stdout).to.match(/[1-9]\d* left, of lastacks that are still attached/);
    expect(rules()).to.be.oneOf([4, 8]);
    run.child.kill('SIGINT');
    await run.ended;
  });

  it('has "clean" say what it cannot do without root, or without iptables', async function () {
    needsOrdinaryUser.call(this);
    const { path } = folder;
    expectRefusal(await lastack(['clean'], { folder: path, uid: ORDINARY }), /takes root/, 3);
    const run = await lastack(['clean'], { folder: path, env: { PATH: path } });
    expectRefusal(run, /could be looked into: the program "iptables-save" is missing/, 3);
  });

  describe('told something wrong', () => {
    const refused = (args: readonly string[], env: Readonly<Record<string, string>> = {}, uid?: number) =>
      lastack(['attach', ...args], { folder: folder.path, env, ...(uid === undefined ? {} : { uid }) });

    it('says that there is no such process', async () => {
      expectRefusal(await refused(['4194305', ...PORT_ARGS]), /there is no process 4194305/, 2);
    });

    it('says that a name is no process, where there is no engine to look for containers in', async () => {
      const run = await refused(['nginx', ...PORT_ARGS], { DOCKER_HOST: `unix://${folder.path}/none.sock` });
      expectRefusal(run, /"nginx" is no process id.*pgrep/, 3);
    });

    for (const [what, args, named] of [
      ['without a port', [], /--port/],
      ['with a port that is none', ['--port', '65536'], /1 to 65535/],
      ['with a time that is none', [...PORT_ARGS, '--for', 'soon'], /"soon" is no length of time/],
      ['with a match that is none', [...PORT_ARGS, '--until', 'finl-ack'], /final-ack/],
      ['with a fault that is none', [...PORT_ARGS, '--fault', 'drop finl-ack'], /final-ack/],
    ] as const)
      it(`says what is missing ${what}`, async () => {
        expectRefusal(await refused([String(service.pid), ...args]), named, 2);
      });

    it('says that an ordinary user may not', async function () {
      needsOrdinaryUser.call(this);
      const run = await refused([String(service.pid), ...PORT_ARGS], {}, ORDINARY);
      expectRefusal(run, /you may not enter the network of process \d+.*run lastack as root/, 3);
    });

    it('says that iptables is missing', async () => {
      const run = await refused([String(service.pid), ...PORT_ARGS], { PATH: folder.path });
      expectRefusal(run, /the program "iptables-restore" is missing.*install iptables/, 3);
      expect(rules()).to.equal(0);
    });

    for (const [what, says, named] of [
      [
        'the kernel lacks a module',
        'Warning: Extension NFQUEUE revision 0 not supported, missing kernel module?',
        /this kernel cannot queue segments.*modprobe/,
      ],
      ['others keep the lock', 'Another app is currently holding the xtables lock', /try again/],
    ] as const)
      it(`says that ${what}`, async () => {
        const programs = join(folder.path, 'bin');
        mkdirSync(programs);
        for (const name of ['iptables-restore', 'ip6tables-restore', 'iptables-save', 'ip6tables-save']) {
          writeFileSync(join(programs, name), `#!/bin/sh\necho "${says}" >&2\nexit 4\n`);
          chmodSync(join(programs, name), 0o755);
        }
        const run = await refused([String(service.pid), ...PORT_ARGS], { PATH: programs });
        expectRefusal(run, named, 3);
        expect(rules()).to.equal(0);
      });

    it('says where a capture cannot be written, after all else', async () => {
      const pcap = join(folder.path, 'missing', 'x.pcapng');
      writeFileSync(join(folder.path, 'missing'), '');
      const run = await refused([String(service.pid), ...PORT_ARGS, '--for', '200ms', '--pcap', pcap]);
      expectRefusal(run, /cannot write the report .*missing: .*--pcap/, 3);
      expect(run.stdout).to.include('left behind: nothing');
      expect(existsSync(pcap)).to.equal(false);
    });
  });
});
