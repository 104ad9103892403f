import { once } from 'node:events';
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { RealClock } from '../../../clock/index.js';
import { Peer } from '../../../endpoint/index.js';
import { data, delay, drop, finalAck, handshakeAck, hold, SIDES, type Side } from '../../../fault/index.js';
import { monotonicNs } from '../../../sys/index.js';
import { AttachRefused } from '../attach-errors.js';
import { needsAttach, PORT } from '../attached.fixture.js';
import { countRules, sweepRules } from '../namespace-rules.js';
import { carries, hundredConnections, type PairedOptions, withPairedWire } from '../paired.fixture.js';
import { openPairedWire } from '../paired-wire.js';
import type { WireProcess } from './remote-wire.js';
import { SpawnedWire } from './wire-process.fixture.js';

/** An hour, and a half: no clock of the same machine is that far off. */
const SHIFT_NS = 5_400_000_000_000n;

const outputsOf = ({ stdio: { stdout, stderr } }: SpawnedWire) => ({ stdout, stderr });

async function refusalOf(wireProcess: SpawnedWire, options: PairedOptions = {}): Promise<string> {
  const failure: unknown = await withPairedWire([], async () => {}, {
    process: wireProcess,
    ...options,
  }).catch((error: unknown) => error);
  expect(failure).to.be.instanceOf(AttachRefused);
  return (failure as AttachRefused).message;
}

describe('a wire in a process of its own', () => {
  before(needsAttach);

  it('has each segment, and the states of both sides, and ends with the wire', async () => {
    await using wireProcess = new SpawnedWire();
    await withPairedWire(
      [drop(data().first())],
      async ({ ends, wire }) => {
        const { client, server } = await ends.connected();
        expect(await carries({ client, server }, 'client', 'hello')).to.equal('hello');
        await client.close();
        await server.receive();
        await server.close();
        await wire.wire.sees(finalAck(), { delivered: true });
        const { segments, transitions, receipts, alignment } = await wire.recording();
        const lost = segments.filter(({ deliveries }) => deliveries.length === 0);
        expect(lost.map(({ facts }) => facts?.roles)).to.deep.equal([['data']]);
        expect(segments.every(({ hook }) => hook === 'input')).to.equal(true);
        expect(receipts.map(({ acted }) => acted)).to.deep.equal([1]);
        const statesOf = (side: Side) => transitions.filter((each) => each.side === side).map(({ to }) => to);
        expect(statesOf('client')).to.include('TIME-WAIT');
        expect(statesOf('server')).to.include('LAST-ACK');
        expect(alignment.segmentsErrorNs).to.be.below(1_000_000);
        expect(SIDES.map((side) => countRules(ends.namespace(side)))).to.deep.equal([1, 1]);
        await wire[Symbol.asyncDispose]();
        expect(SIDES.map((side) => countRules(ends.namespace(side)))).to.deep.equal([0, 0]);
        expect(wire.rules).to.deep.equal({ added: 2, removed: 2 });
      },
      { process: wireProcess },
    );
    expect(await wireProcess.ended).to.include({ code: 0 });
  });

  it('serves one harness after the other where its input stays open, as in a container that is kept', async () => {
    await using wireProcess = new SpawnedWire();
    for (const faults of [[drop(data().first())], []]) {
      const stdin = new Writable({
        write: (octets, _encoding, done) => void wireProcess.child.stdin?.write(octets, done),
      });
      const kept: WireProcess = {
        stdio: { ...outputsOf(wireProcess), stdin },
        ended: once(stdin, 'finish').then(() => ({ sentence: 'it was let go' })),
      };
      await withPairedWire(
        faults,
        async ({ ends, wire }) => {
          expect(await carries(await ends.connected(), 'client', 'hello')).to.equal('hello');
          const { segments, receipts } = await wire.recording();
          expect(receipts.map(({ acted }) => acted)).to.deep.equal(faults.map(() => 1));
          expect(segments[0]?.facts?.roles).to.deep.equal(['syn']);
          await wire[Symbol.asyncDispose]();
          expect(SIDES.map((side) => countRules(ends.namespace(side)))).to.deep.equal([0, 0]);
        },
        { process: kept },
      );
      expect(wireProcess.child.exitCode).to.equal(null);
    }
  });

  it('obeys while it runs', async () => {
    await using wireProcess = new SpawnedWire();
    await withPairedWire(
      [],
      async ({ ends, wire }) => {
        const pair = await ends.connected();
        await wire.wire.add(hold(data(), { id: 'kept' }));
        const carried = carries(pair, 'server', 'hello');
        expect((await wire.wire.sees(data().from('server'))).held).to.equal(true);
        expect(await wire.wire.release('kept')).to.be.at.least(1);
        expect(await carried).to.equal('hello');
        const failure: unknown = await wire.wire.release('nothing').catch((error: unknown) => error);
        expect(failure).to.have.property('message').that.includes('nothing');
      },
      { process: wireProcess },
    );
  });

  it('carries a hundred connections at once, and loses nothing', async () => {
    await using wireProcess = new SpawnedWire();
    await withPairedWire(
      [],
      async ({ ends, wire }) => {
        await hundredConnections(ends);
        await wire.wire.quiet({ forMs: 50, withinMs: 5000 });
        const { segments } = await wire.recording();
        expect(segments.every(({ deliveries }) => deliveries.length === 1)).to.equal(true);
        expect(new Set(segments.map(({ facts }) => facts?.flow)).size).to.equal(100);
        expect(await wire.missed()).to.equal(0);
      },
      { process: wireProcess },
    );
  });

  it('carries the packets of a scripted peer', async () => {
    await using wireProcess = new SpawnedWire();
    await withPairedWire(
      [],
      async ({ ends, wire }) => {
        if (wire.peerPort === undefined) throw new Error('there is no peer');
        const peer = new Peer(wire.peerPort);
        const listener = await ends.server.listen({ port: PORT });
        await peer.connect({ port: PORT });
        const server = await listener.accept();
        await server.send(Buffer.from('hello'));
        await peer.expect({ flags: 'PSH,ACK', payload: 'hello' });
        const { segments } = await wire.recording();
        expect(segments[0]?.origin).to.equal('peer');
      },
      { process: wireProcess, peer: 'client' },
    );
  });

  it("on another machine tells the times of this one's clock, within the error that it states", async () => {
    await using wireProcess = new SpawnedWire(['--clock-shift', String(SHIFT_NS)]);
    const clock = new RealClock(monotonicNs());
    await withPairedWire(
      [delay(data(), { byMs: 20 })],
      async ({ ends, wire }) => {
        const beforeNs = clock.now();
        expect(await carries(await ends.connected(), 'client', 'hello')).to.equal('hello');
        await wire.wire.sees(data(), { delivered: true });
        const { segments, transitions, eyes, alignment } = await wire.recording();
        const afterNs = clock.now();
        const { segmentsErrorNs, transitionsErrorNs } = alignment;
        expect(transitionsErrorNs).to.be.within(1, 20_000_000);
        for (const { atNs } of segments)
          expect(atNs).to.be.within(beforeNs - segmentsErrorNs, afterNs + segmentsErrorNs);
        for (const { atNs } of transitions)
          expect(atNs).to.be.within(beforeNs - transitionsErrorNs, afterNs + transitionsErrorNs);
        // Tracepoints would show this machine's sockets.
        expect(eyes).to.not.include('tracepoint');
      },
      { process: wireProcess, clock },
    );
  });

  it('on another machine has no tracepoints, and says so', async () => {
    await using wireProcess = new SpawnedWire(['--clock-shift', '1']);
    expect(await refusalOf(wireProcess, { eyes: 'tracepoint' })).to.match(/sock_diag/);
  });

  it('killed, lets traffic flow by itself; its rules stay until they are swept', async () => {
    await using wireProcess = new SpawnedWire();
    await withPairedWire(
      [],
      async ({ ends, wire }) => {
        const pair = await ends.connected();
        await wire.wire.sees(handshakeAck(), { delivered: true });
        wireProcess.child.kill('SIGKILL');
        expect((await wire.failed).message).to.match(/the wire's process has ended: it was ended by SIGKILL/);
        for (const from of SIDES) expect(await carries(pair, from, 'hello')).to.equal('hello');
        await wire[Symbol.asyncDispose]();
        expect(wire.remains().segments.length).to.be.at.least(3);
        for (const side of SIDES) {
          const namespace = ends.namespace(side);
          expect(countRules(namespace)).to.equal(1);
          expect(sweepRules(namespace)).to.equal(1);
          expect(countRules(namespace)).to.equal(0);
        }
      },
      { process: wireProcess },
    );
  });

  for (const [what, end] of [
    ['its input ends', (wireProcess: SpawnedWire) => wireProcess.child.stdin?.end()],
    ['it is told SIGTERM', (wireProcess: SpawnedWire) => wireProcess.child.kill('SIGTERM')],
    ['it is told SIGINT', (wireProcess: SpawnedWire) => wireProcess.child.kill('SIGINT')],
  ] as const)
    it(`takes its rules out when ${what}`, async () => {
      await using wireProcess = new SpawnedWire();
      await withPairedWire(
        [],
        async ({ ends }) => {
          const pair = await ends.connected();
          end(wireProcess);
          await wireProcess.ended;
          expect(SIDES.map((side) => countRules(ends.namespace(side)))).to.deep.equal([0, 0]);
          expect(await carries(pair, 'client', 'hello')).to.equal('hello');
        },
        { process: wireProcess },
      );
    });

  describe('says in one sentence', () => {
    it('that a namespace is not there', async () => {
      await using wireProcess = new SpawnedWire();
      const stderr: string[] = [];
      wireProcess.child.stderr?.on('data', (text) => stderr.push(String(text)));
      const failure: unknown = await openPairedWire({
        through: { kind: 'process', stdio: wireProcess.stdio, ended: wireProcess.ended },
        ends: {
          client: { kind: 'namespace', path: '/proc/self/ns/nothing' },
          server: { kind: 'namespace', path: '/proc/self/ns/net' },
        },
        addresses: { client: '10.0.0.1', server: '10.0.0.2' },
      }).catch((error: unknown) => error);
      expect(failure).to.be.instanceOf(AttachRefused);
      expect(failure)
        .to.have.property('message')
        .that.matches(/\/proc\/self\/ns\/nothing cannot be entered/);
      expect(await wireProcess.ended).to.include({ code: 3 });
      expect(stderr.join('')).to.match(/^lastack: the network namespace .*\n$/);
    });

    it("that the program is none of lastack's", async () => {
      await using wireProcess = new SpawnedWire([], { command: 'echo', program: ['sh: no such program'] });
      expect(await refusalOf(wireProcess)).to.match(/is no "lastack wire".*no such program|has ended/);
    });

    it('that the process ended, and what it said', async () => {
      const program = ['-c', 'echo "lastack: not today" >&2; exit 3'];
      await using wireProcess = new SpawnedWire([], { command: 'sh', program });
      expect(await refusalOf(wireProcess)).to.equal("the wire's process has ended: not today");
    });
  });
});
