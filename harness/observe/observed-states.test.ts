import { writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { RealClock } from '../clock/index.js';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { monotonicNs } from '../sys/index.js';
import { joinStates } from './join-states.js';
import { Loopback } from './loopback-fixture.js';
import type { Sighting } from './sighting.js';
import { SnapshotWatcher } from './snapshot-watcher.js';
import type { Pair } from './sock-diag.js';
import { TracepointSession, type TracepointTap } from './tracepoints.js';
import { findTracefs } from './tracing-instance.js';
import type { NoteRecord, TransitionRecord } from './transition.js';

// Tracepoints hear all namespaces, those of sockets that outlive an earlier test too: each test has ports of its own.
let serverPort = 10_000 + ((process.pid * 64) % 40_000);
let clientPort = serverPort + 1;

/** Both ends of one connection on loopback under watch. `look` stands for a segment that crosses the wire. */
class Watched implements Disposable {
  readonly lo: Loopback;
  readonly client: Pair;
  readonly server: Pair;
  readonly #clock = new RealClock(monotonicNs());
  readonly #watcher: SnapshotWatcher;
  readonly #seen: (Sighting | NoteRecord)[] = [];
  readonly #tap: TracepointTap | undefined;

  constructor(ipVersion: 4 | 6, session: TracepointSession | undefined) {
    this.lo = new Loopback(ipVersion);
    const { namespace, ip } = this.lo;
    this.client = { local: { ip, port: clientPort }, remote: { ip, port: serverPort } };
    this.server = { local: this.client.remote, remote: this.client.local };
    this.#tap = session?.tap({
      epochNs: this.#clock.epochNs,
      sideOf: ({ port }) => (port === serverPort ? 'server' : port === clientPort ? 'client' : undefined),
    });
    this.#watcher = new SnapshotWatcher({
      ends: (['client', 'server'] as const).map((side) => ({ side, namespace, ip })),
      ipVersion,
      clock: this.#clock,
      report: (record) => this.#seen.push(record),
      hasTracepoints: session !== undefined,
    });
  }

  lookAt(side: Side, pair: Pair): void {
    this.#watcher.lookAtPair(side, pair);
  }

  look(): void {
    this.#watcher.lookAtPair('client', this.client);
    this.#watcher.lookAtPair('server', this.server);
  }

  lookAtListener(): void {
    const any = { ip: this.lo.ipVersion === 4 ? '0.0.0.0' : '::', port: 0 };
    this.#watcher.lookAtPair('server', { local: this.server.local, remote: any });
  }

  #joined() {
    const sightings = this.#seen.filter((record) => record.kind === 'sighting');
    return joinStates({ sightings, ...(this.#tap === undefined ? {} : { events: this.#tap.flush() }) });
  }

  get notes(): readonly NoteRecord[] {
    return [...this.#seen.filter((record) => record.kind === 'note'), ...this.#joined().notes];
  }

  transitions(side: Side): readonly TransitionRecord[] {
    return this.#joined().transitions.filter((transition) => transition.side === side);
  }

  /** The states of a side's connection from the first, each joined to the one before. */
  states(side: Side): readonly TcpState[] {
    const ofConnection = this.transitions(side).filter(({ remote }) => remote.port !== 0);
    ofConnection.forEach(({ from }, i) => {
      if (i > 0) expect(from, 'an unbroken chain of states').to.equal(ofConnection[i - 1]?.to);
    });
    return [...ofConnection.slice(0, 1).map(({ from }) => from), ...ofConnection.map(({ to }) => to)];
  }

  [Symbol.dispose](): void {
    this.#watcher[Symbol.dispose]();
    this.#tap?.[Symbol.dispose]();
    this.lo[Symbol.dispose]();
  }
}

for (const eye of ['sock_diag', 'tracepoint'] as const) {
  for (const ipVersion of [4, 6] as const) {
    describe(`states as ${eye} shows them over IPv${ipVersion}`, () => {
      let session: TracepointSession | undefined;
      let watched: Watched;
      let lo: Loopback;

      before(function () {
        if (eye !== 'tracepoint') return;
        const tracefs = findTracefs();
        if ('why' in tracefs) {
          console.log(`      skipped: ${tracefs.why}`);
          this.skip();
        }
        session = TracepointSession.shared();
      });
      after(() => session?.[Symbol.dispose]());
      beforeEach(() => {
        serverPort += 2;
        clientPort += 2;
        watched = new Watched(ipVersion, session);
        lo = watched.lo;
      });
      afterEach(() => watched?.[Symbol.dispose]());

      /** An established connection that both sides were looked at in: [client's, server's socket]. */
      function established(): [number, number] {
        const listener = lo.listen(serverPort);
        lo.deferAccept(listener);
        watched.look();
        const client = lo.connect(serverPort, clientPort);
        watched.look();
        lo.send(client, Uint8Array.of(1));
        watched.look();
        const server = lo.accept(listener);
        lo.receive(server);
        return [client, server];
      }

      it('are CLOSED, LISTEN and CLOSED for a listener', () => {
        watched.lookAtListener();
        const listener = lo.listen(serverPort);
        watched.lookAtListener();
        lo.close(listener);
        watched.lookAtListener();
        expect(watched.transitions('server').map(({ from, to }) => [from, to])).to.deep.equal([
          ['CLOSED', 'LISTEN'],
          ['LISTEN', 'CLOSED'],
        ]);
        const exact = watched.transitions('server').every(({ certainty }) => certainty === 'exact');
        expect(exact).to.equal(eye === 'tracepoint');
      });

      it('are SYN-SENT and CLOSED for an opening that nobody answers', () => {
        lo.deafen(lo.listen(serverPort));
        const client = lo.connect(serverPort, clientPort);
        watched.look();
        lo.close(client);
        watched.look();
        expect(watched.states('client')).to.deep.equal(['CLOSED', 'SYN-SENT', 'CLOSED']);
      });

      it('have SYN-RECEIVED before the third segment is taken', () => {
        established();
        expect(watched.states('server')).to.deep.equal(['LISTEN', 'SYN-RECEIVED', 'ESTABLISHED']);
        expect(watched.states('client')).to.deep.equal(['CLOSED', 'SYN-SENT', 'ESTABLISHED']);
        const [received] = watched.transitions('server').filter(({ to }) => to === 'SYN-RECEIVED');
        expect(received).to.include({ eye: 'sock_diag', certainty: 'bounded' });
      });

      it('are those of a four-way close, each side closing with shutdown first', async () => {
        const [client, server] = established();
        lo.deafen(client);
        lo.shutdownWrite(client);
        watched.look();
        lo.hear(client);
        await lo.until(() => lo.stateOf(watched.client) === 'FIN-WAIT-2');
        watched.look();
        lo.deafen(server);
        lo.shutdownWrite(server);
        watched.look();
        lo.hear(server);
        await lo.until(() => lo.stateOf(watched.server) === 'LISTEN');
        watched.look();
        expect(watched.states('client').slice(2)).to.deep.equal([
          'ESTABLISHED',
          'FIN-WAIT-1',
          'FIN-WAIT-2',
          'TIME-WAIT',
        ]);
        expect(watched.states('server').slice(2)).to.deep.equal([
          'ESTABLISHED',
          'CLOSE-WAIT',
          'LAST-ACK',
          'CLOSED',
        ]);
        const timeWait = watched.transitions('client').at(-1);
        expect(timeWait?.certainty).to.equal(eye === 'tracepoint' ? 'exact' : 'bounded');
      });

      it('have FIN-WAIT-2 and TIME-WAIT of an orphan, from its mini socket', async () => {
        const [client, server] = established();
        lo.close(client);
        watched.look();
        await lo.until(() => lo.stateOf(watched.client) === 'FIN-WAIT-2');
        watched.look();
        lo.close(server);
        watched.look();
        expect(watched.states('client').slice(3)).to.deep.equal(['FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT']);
        expect(watched.transitions('client').at(-1)).to.include({ eye: 'sock_diag', certainty: 'bounded' });
        const timer = watched.notes.findLast(({ detail }) => detail.timer === 'time-wait');
        expect(timer?.detail).to.include({ state: 'TIME-WAIT' });
      });

      // It takes a second, and IPv6 has the same mini sockets.
      const itOverIpv4 = ipVersion === 4 ? it : () => undefined;
      itOverIpv4(
        'end when the timer of a mini socket has run out, without a segment and without being asked',
        async () => {
          lo.namespace.run(() => writeFileSync('/proc/sys/net/ipv4/tcp_fin_timeout', '1'));
          const [client] = established();
          lo.close(client);
          watched.look();
          await lo.until(() => lo.stateOf(watched.client) === 'FIN-WAIT-2');
          watched.look();
          await lo.until(() => watched.states('client').at(-1) === 'CLOSED');
          expect(watched.states('client').slice(-2)).to.deep.equal(['FIN-WAIT-2', 'CLOSED']);
          const [entered, left] = watched.transitions('client').slice(-2);
          expect(((left?.atNs ?? 0) - (entered?.atNs ?? 0)) / 1e6).to.be.within(950, 1350);
          expect(((left?.atNs ?? 0) - (left?.notBeforeNs ?? 0)) / 1e6).to.be.below(1350);
        },
      );

      it('have CLOSING where both close at once', async () => {
        const [client, server] = established();
        lo.deafen(client);
        lo.deafen(server);
        lo.shutdownWrite(client);
        lo.shutdownWrite(server);
        watched.look();
        lo.hear(server);
        await lo.until(() => lo.stateOf(watched.server) === 'CLOSING');
        watched.look();
        lo.hear(client);
        await lo.until(() => lo.stateOf(watched.server) === 'TIME-WAIT');
        watched.look();
        expect(watched.states('server').slice(2)).to.deep.equal([
          'ESTABLISHED',
          'FIN-WAIT-1',
          'CLOSING',
          'TIME-WAIT',
        ]);
        expect(watched.states('client').slice(2)).to.deep.equal([
          'ESTABLISHED',
          'FIN-WAIT-1',
          'FIN-WAIT-2',
          'TIME-WAIT',
        ]);
      });

      it('go to CLOSED at once for an abort, on both sides', () => {
        const [client] = established();
        lo.abort(client);
        watched.look();
        expect(watched.states('client').slice(-2)).to.deep.equal(['ESTABLISHED', 'CLOSED']);
        expect(watched.states('server').slice(-2)).to.deep.equal(['ESTABLISHED', 'CLOSED']);
      });

      it('pass SYN-RECEIVED in a simultaneous open, where only an exact eye can see it', () => {
        const self = { ip: lo.ip, port: clientPort };
        lo.connect(clientPort, clientPort);
        watched.lookAt('client', { local: self, remote: self });
        const passed = eye === 'tracepoint' ? ['SYN-RECEIVED'] : [];
        expect(watched.states('client')).to.deep.equal(['CLOSED', 'SYN-SENT', ...passed, 'ESTABLISHED']);
      });

      // Looks find states and timers; what explains them is the tracepoints'.
      const itByTracepoint = eye === 'tracepoint' ? it : () => undefined;
      itByTracepoint('come with notes on resets, retransmissions and freed sockets', async () => {
        const refused = lo.connect(serverPort, clientPort);
        lo.close(refused);
        const [client, server] = established();
        lo.deafen(server);
        lo.send(client, Uint8Array.of(1));
        await lo.until(() => watched.notes.some(({ what }) => what === 'tcp_retransmit_skb'));
        const notes = watched.notes.map(({ what, side }) => `${what} ${side}`);
        expect(notes).to.include.members([
          'tcp_send_reset server',
          'tcp_receive_reset client',
          'tcp_destroy_sock client',
          'tcp_retransmit_skb client',
        ]);
        const reset = watched.notes.find(({ what }) => what === 'tcp_send_reset');
        expect(reset?.detail.reason ?? 'NO_SOCKET').to.equal('NO_SOCKET');
      });
    });
  }
}
