import { expect } from 'chai';
import { Loopback } from './loopback-fixture.js';
import { owning } from './owning-fixture.js';
import { DestroyListener, type DiagSocket, type Pair, SockDiag } from './sock-diag.js';

for (const ipVersion of [4, 6] as const) {
  describe(`sock_diag over IPv${ipVersion}`, () => {
    const own = owning();
    let lo: Loopback;
    let diag: SockDiag;
    let client: Pair;
    let server: Pair;
    const shown = (pair: Pair): string | undefined => {
      const socket = diag.find(pair);
      return socket && `${socket.state} ${socket.holder}`;
    };

    beforeEach(() => {
      lo = new Loopback(ipVersion);
      diag = lo.namespace.run(() => new SockDiag());
      client = { local: { ip: lo.ip, port: 4001 }, remote: { ip: lo.ip, port: 4000 } };
      server = { local: client.remote, remote: client.local };
    });
    afterEach(() => {
      diag[Symbol.dispose]();
      lo[Symbol.dispose]();
    });

    it('lists listening and established sockets with their addresses, queues and identities', () => {
      lo.listen(4000);
      lo.send(lo.connect(4000, 4001), Uint8Array.of(1, 2, 3));
      const sockets = diag.dump({ ipVersion });
      expect(sockets.map(({ state }) => state).sort()).to.deep.equal([
        'ESTABLISHED',
        'ESTABLISHED',
        'LISTEN',
      ]);
      const accepted = sockets.find(({ state, local }) => state === 'ESTABLISHED' && local.port === 4000);
      expect(accepted).to.include({ holder: 'full', recvQueueOctets: 3, sendQueueOctets: 0 });
      expect(accepted?.remote).to.deep.equal(client.local);
      expect(new Set(sockets.map(({ cookie }) => cookie)).size).to.equal(3);
    });

    it('hands over struct tcp_info where it is asked for', () => {
      lo.listen(4000);
      lo.connect(4000, 4001);
      expect(diag.find(client)?.info).to.equal(undefined);
      expect(diag.find(client, { info: true })?.info?.length).to.be.greaterThan(100);
    });

    it('finds the listener for a pair that has no socket of its own, and nothing where nobody listens', () => {
      const listener = lo.listen(4000);
      expect(shown(server)).to.equal('LISTEN full');
      expect(shown(client)).to.equal(undefined);
      lo.close(listener);
      expect(shown(server)).to.equal(undefined);
    });

    it('shows SYN-SENT with its retransmission timer', () => {
      lo.deafen(lo.listen(4000));
      lo.connect(4000, 4001);
      expect(shown(client)).to.equal('SYN-SENT full');
      const timer = diag.find(client)?.timer;
      expect(timer).to.include({ name: 'retransmit', retransmits: 0 });
      expect(timer?.remainsMs).to.be.within(1, 1100);
    });

    it('shows SYN-RECEIVED while it is a request socket, which keeps its cookie when it is established', () => {
      lo.deferAccept(lo.listen(4000));
      const fd = lo.connect(4000, 4001);
      expect(shown(server)).to.equal('SYN-RECEIVED request');
      const { cookie } = diag.find(server) as DiagSocket;
      lo.send(fd, Uint8Array.of(1));
      expect(shown(server)).to.equal('ESTABLISHED full');
      expect(diag.find(server)?.cookie).to.equal(cookie);
    });

    it('shows FIN-WAIT-1, then CLOSING when the other FIN comes before the ACK', function () {
      this.timeout(5000);
      const listener = lo.listen(4000);
      const fd = lo.connect(4000, 4001);
      const accepted = lo.accept(listener);
      lo.deafen(fd);
      lo.deafen(accepted);
      lo.shutdownWrite(fd);
      lo.shutdownWrite(accepted);
      expect([shown(client), shown(server)]).to.deep.equal(['FIN-WAIT-1 full', 'FIN-WAIT-1 full']);
      lo.hear(accepted);
      return lo.until(() => shown(server) === 'CLOSING full');
    });

    it('shows the passive closer in CLOSE-WAIT and LAST-ACK, and the active one in FIN-WAIT-2', async () => {
      const listener = lo.listen(4000);
      const fd = lo.connect(4000, 4001);
      const accepted = lo.accept(listener);
      lo.shutdownWrite(fd);
      await lo.until(() => shown(client) === 'FIN-WAIT-2 full');
      expect(shown(server)).to.equal('CLOSE-WAIT full');
      lo.deafen(accepted);
      lo.shutdownWrite(accepted);
      expect(shown(server)).to.equal('LAST-ACK full');
      expect(diag.find(server)?.timer?.name).to.equal('retransmit');
    });

    it('shows an orphan FIN-WAIT-2 and TIME-WAIT in a mini socket with the time that remains', async () => {
      const listener = lo.listen(4000);
      const fd = lo.connect(4000, 4001);
      const accepted = lo.accept(listener);
      const { cookie } = diag.find(client) as DiagSocket;
      lo.close(fd);
      await lo.until(() => shown(client) === 'FIN-WAIT-2 mini');
      lo.close(accepted);
      expect(shown(client)).to.equal('TIME-WAIT mini');
      const socket = diag.find(client);
      expect(socket?.cookie).to.equal(cookie);
      expect(socket?.timer?.name).to.equal('time-wait');
      expect(socket?.timer?.remainsMs).to.be.within(59_000, 60_000);
      expect(diag.dump({ ipVersion }).map(({ state }) => state)).to.include('TIME-WAIT');
    });

    it('hears of each full socket that is freed', async () => {
      const destroyed = own(lo.namespace.run(() => new DestroyListener()));
      const listener = lo.listen(4000);
      const fd = lo.connect(4000, 4001);
      const accepted = lo.accept(listener);
      const cookies = [diag.find(client)?.cookie, diag.find(server)?.cookie];
      lo.abort(fd);
      lo.close(accepted);
      const heard = new Map<string, DiagSocket>();
      await lo.until(() => {
        for (const socket of destroyed.take().sockets) heard.set(socket.cookie, socket);
        return cookies.every((cookie) => cookie !== undefined && heard.has(cookie));
      });
      expect([...heard.values()].every(({ state }) => state === 'CLOSED')).to.equal(true);
    });

    it('says when more sockets were freed than it could hear of, and goes on', () => {
      const destroyed = own(lo.namespace.run(() => new DestroyListener()));
      const listener = lo.listen(4000);
      const opened = 1000;
      for (let i = 0; i < opened; i += 1) {
        const fd = lo.connect(4000, 5000 + i);
        lo.abort(fd);
        lo.close(lo.accept(listener));
      }
      const first = destroyed.take();
      expect(first.hasLost).to.equal(true);
      expect(first.sockets.length).to.be.within(1, 2 * opened - 1);
      expect(destroyed.take()).to.deep.equal({ sockets: [], hasLost: false });
    });
  });
}
