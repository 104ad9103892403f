import { expect } from 'chai';
import { RealClock } from '../clock/index.js';
import type { Side } from '../fault/index.js';
import { makeSegment } from '../segment/index.js';
import { monotonicNs } from '../sys/index.js';
import { Loopback } from './loopback-fixture.js';
import type { Sighting } from './sighting.js';
import { SnapshotWatcher } from './snapshot-watcher.js';

const client = { ip: '127.0.0.2', port: 4001 };
const server = { ip: '127.0.0.1', port: 4000 };
/** A segment of the one connection, as it is on the wire. */
const from = (side: Side, flags: string) => {
  const [source, destination] = side === 'client' ? [client, server] : [server, client];
  const { ip: src, port: srcPort } = source;
  const { ip: dst, port: dstPort } = destination;
  return makeSegment({ src, dst, srcPort, dstPort, flags });
};

describe('a watcher of both ends', () => {
  let lo: Loopback;
  let watcher: SnapshotWatcher;
  let seen: Sighting[];

  const watch = (hasTracepoints: boolean) => {
    watcher = new SnapshotWatcher({
      ends: [
        { side: 'client', namespace: lo.namespace, ip: client.ip },
        { side: 'server', namespace: lo.namespace, ip: server.ip },
      ],
      ipVersion: 4,
      clock: new RealClock(monotonicNs()),
      report: (record) => record.kind === 'sighting' && seen.push(record),
      hasTracepoints,
    });
  };
  /** What was seen since the last call: `client ESTABLISHED`. */
  const news = (): string[] => seen.splice(0).map(({ side, state }) => `${side} ${state}`);

  beforeEach(() => {
    lo = new Loopback(4);
    seen = [];
    watch(false);
  });
  afterEach(() => {
    watcher[Symbol.dispose]();
    lo[Symbol.dispose]();
  });

  function established(): readonly [client: number, server: number] {
    const listener = lo.listen(server.port);
    const fd = lo.connect(server.port, client.port, client.ip);
    return [fd, lo.accept(listener)];
  }

  it('looks at the side named and at the other, whichever way the segment goes', () => {
    established();
    watcher.look('server', from('client', 'SYN'));
    expect(news()).to.have.members(['client ESTABLISHED', 'server ESTABLISHED']);
    watcher.look('client', from('server', 'SYN,ACK'));
    expect(news()).to.deep.equal([]);
  });

  it('sees at a FIN what became of both ends', () => {
    const [fd] = established();
    watcher.look('client', from('client', 'ACK'));
    news();
    lo.close(fd);
    watcher.look('client', from('client', 'FIN,ACK'));
    watcher.look('server', from('client', 'FIN,ACK'));
    expect(news()).to.have.members(['client FIN-WAIT-1', 'server CLOSE-WAIT']);
  });

  it('spares a connection that stays established, and less so without tracepoints', async () => {
    const [fd] = established();
    watcher[Symbol.dispose]();
    watch(true);
    watcher.look('client', from('client', 'SYN'));
    watcher.look('server', from('client', 'SYN'));
    news();
    lo.shutdownWrite(fd);
    watcher.look('client', from('client', 'ACK'));
    expect(news()).to.deep.equal([]);
    watcher[Symbol.dispose]();
    watch(false);
    watcher.look('client', from('client', 'ACK'));
    expect(news()).to.not.deep.equal([]);
  });

  it('looks at everything when asked to, and when a packet is no TCP', () => {
    const [fd] = established();
    watcher.lookAtAll();
    expect(news()).to.include.members(['client ESTABLISHED', 'server ESTABLISHED', 'server LISTEN']);
    lo.abort(fd);
    watcher.look('server', undefined);
    expect(news()).to.include.members(['client CLOSED', 'server CLOSED']);
  });

  it('of an end that says what it owns, looks at that alone', () => {
    watcher[Symbol.dispose]();
    watcher = new SnapshotWatcher({
      ends: [
        { side: 'server', namespace: lo.namespace, ip: '', owns: ({ local }) => local.port === server.port },
      ],
      ipVersion: 'both',
      clock: new RealClock(monotonicNs()),
      report: (record) => record.kind === 'sighting' && seen.push(record),
    });
    established();
    watcher.look('client', from('client', 'SYN'));
    expect(news()).to.deep.equal(['server ESTABLISHED']);
    watcher.lookAtAll();
    expect(news()).to.deep.equal(['server LISTEN']);
  });

  it('hears that the kernel freed a socket, and says who told', async () => {
    const [fd, accepted] = established();
    watcher.look('client', from('client', 'SYN'));
    seen.length = 0;
    lo.abort(fd);
    lo.close(accepted);
    await lo.until(() => {
      watcher.lookAtDestroyed();
      return seen.length >= 2;
    });
    expect(seen.map(({ state, eye }) => `${state} ${eye}`)).to.deep.equal([
      'CLOSED destroy',
      'CLOSED destroy',
    ]);
  });
});
