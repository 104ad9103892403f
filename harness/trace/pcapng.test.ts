import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { traceWith } from './fixture.js';
import { traceToPcapng } from './pcapng.js';

const lostFinalAck = (ipVersion: 4 | 6) =>
  traceWith(
    { ipVersion, scenario: 'close/lost-final-ack', faults: { 'drop final-ack once': 'drop final-ack once' } },
    'client SYN',
    'server SYN,ACK',
    'client ACK "odd"',
    'server ACK',
    '@10 client FIN,ACK',
    'server FIN,ACK',
    'client ACK, dropped by drop final-ack once',
    '+200.000001 server FIN,ACK again',
    'client ACK, delayed 30 by late',
    'server RST, injected by forge',
  );

describe('traceToPcapng', () => {
  let folder: string;

  before(function () {
    const version = spawnSync('tshark', ['--version'], { encoding: 'utf8' });
    if (version.status === 0) folder = mkdtempSync(join(tmpdir(), 'lastack-pcapng-'));
    else {
      console.log('        (tshark is not installed: what Wireshark makes of the capture is not tested)');
      this.skip();
    }
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  function tshark(bytes: Uint8Array, ...args: readonly string[]): readonly string[] {
    const file = join(folder, 'capture.pcapng');
    writeFileSync(file, bytes);
    const run = spawnSync('tshark', ['-n', '-r', file, ...args], {
      encoding: 'utf8',
      env: { ...process.env, HOME: folder },
    });
    expect(
      run.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Running as user')),
    ).to.deep.equal([]);
    return run.stdout.split('\n').slice(0, -1);
  }
  const fields = (...names: readonly string[]) => [
    '-T',
    'fields',
    '-E',
    'separator=|',
    ...names.flatMap((name) => ['-e', name]),
  ];

  it('shows on each interface what that end sent and was given, with direction and roles', () => {
    const bytes = traceToPcapng(lostFinalAck(4));
    const rows = tshark(
      bytes,
      ...fields('frame.interface_name', 'frame.packet_flags_direction', 'tcp.flags.str', 'frame.comment'),
    );
    const of = (side: string) =>
      rows.filter((row) => row.startsWith(side)).map((row) => row.replace(/·/g, ''));
    expect(of('client')).to.deep.equal([
      'client|0x00000002|S|SYN',
      'client|0x00000001|AS|SYN,ACK',
      'client|0x00000002|A|handshake ACK and data',
      'client|0x00000001|A|pure ACK',
      'client|0x00000002|AF|FIN of the active closer',
      'client|0x00000001|AF|FIN of the passive closer and ACK of the active FIN',
      'client|0x00000002|A|final ACK, dropped by fault 1 (drop final-ack once)',
      'client|0x00000001|AF|FIN of the passive closer and ACK of the active FIN, 2nd copy',
      'client|0x00000002|A|final ACK, 2nd copy, delayed by 30 ms by fault 2 (late)',
      'client|0x00000001|R|RST, injected by fault 3 (forge)',
    ]);
    expect(of('server')).to.have.lengthOf(8);
    expect(of('server').join()).to.not.match(/dropped|injected/);
  });

  it('has stamps to the nanosecond', () => {
    const trace = lostFinalAck(4);
    const rows = tshark(
      traceToPcapng(trace),
      '-Y',
      'frame.interface_name == "server"',
      ...fields('frame.time_epoch'),
    );
    expect(rows.slice(0, 1)).to.deep.equal(['1700000005.000050000']);
    expect(rows).to.include('1700000005.210200001');
  });

  it('has right checksums and nothing malformed, in both IP versions', () => {
    for (const ipVersion of [4, 6] as const) {
      const rows = tshark(
        traceToPcapng(lostFinalAck(ipVersion)),
        '-o',
        'tcp.check_checksum:TRUE',
        '-o',
        'ip.check_checksum:TRUE',
        ...fields('tcp.checksum.status', 'ip.checksum.status', '_ws.malformed'),
      );
      expect(new Set(rows)).to.deep.equal(new Set([ipVersion === 4 ? '1|1|' : '1||']));
    }
  });

  it('says whose capture it is', () => {
    const file = join(folder, 'about.pcapng');
    writeFileSync(file, traceToPcapng(lostFinalAck(4)));
    const about = spawnSync('capinfos', [file], { encoding: 'utf8' });
    if (about.status !== 0) return;
    expect(about.stdout).to.include('close/lost-final-ack in lab fixture: client linux@6.1 at 10.0.0.1');
    expect(about.stdout).to.match(/Capture application:\s+lastack/);
    expect(about.stdout).to.match(
      /Name = client[\s\S]*Description = what the client sent and was given: linux@6.1 at 10.0.0.1/,
    );
    expect(about.stdout).to.match(/Time precision = nanoseconds \(9\)/);
  });

  it('writes a capture of nothing', () => {
    expect(tshark(traceToPcapng(traceWith({})))).to.deep.equal([]);
  });
});
