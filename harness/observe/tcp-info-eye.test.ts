import { expect } from 'chai';
import { RealClock } from '../clock/index.js';
import { type TcpState, tcpStateFromLinux } from '../endpoint/index.js';
import { check, IPPROTO_TCP, libc, monotonicNs } from '../sys/index.js';
import { joinStates } from './join-states.js';
import { Loopback } from './loopback-fixture.js';
import { owning } from './owning-fixture.js';
import type { Sighting } from './sighting.js';
import { TcpInfoEye } from './tcp-info-eye.js';

const TCP_INFO = 11;

function stateOfOpen(fd: number): TcpState {
  const info = new Uint8Array(1);
  check(libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, Uint8Array.of(1, 0, 0, 0)), 'getsockopt(TCP_INFO)');
  return tcpStateFromLinux(info[0] ?? 0);
}

describe('TCP_INFO as an eye', () => {
  const own = owning();

  it('sees the states of a socket while it is open, and claims nothing of it afterwards', () => {
    const lo = own(new Loopback(4));
    const seen: Sighting[] = [];
    const eye = new TcpInfoEye({
      clock: new RealClock(monotonicNs()),
      report: (record) => seen.push(record),
    });
    const listener = lo.listen(4000);
    let client: number | undefined = lo.connect(4000, 4001);
    const local = { ip: lo.ip, port: 4001 };
    const remote = { ip: lo.ip, port: 4000 };
    eye.add({
      side: 'client',
      local,
      remote,
      state: () => (client === undefined ? undefined : stateOfOpen(client)),
    });
    eye.look();
    lo.close(lo.accept(listener));
    eye.look();
    lo.close(client);
    client = undefined;
    eye.look();
    const { transitions } = joinStates({ sightings: seen });
    expect(transitions.map(({ to }) => to)).to.deep.equal(['SYN-SENT', 'ESTABLISHED', 'CLOSE-WAIT']);
    expect(transitions.at(-1)).to.include({ eye: 'tcp_info', certainty: 'bounded' });
  });

  it('sees a socket that was reset as CLOSED', () => {
    const lo = own(new Loopback(4));
    const seen: Sighting[] = [];
    const eye = new TcpInfoEye({
      clock: new RealClock(monotonicNs()),
      report: (record) => seen.push(record),
    });
    const listener = lo.listen(4000);
    const client = lo.connect(4000, 4001);
    const remote = { ip: lo.ip, port: 4000 };
    eye.add({ side: 'client', local: { ip: lo.ip, port: 4001 }, remote, state: () => stateOfOpen(client) });
    eye.look();
    lo.abort(lo.accept(listener));
    eye.look();
    const last = joinStates({ sightings: seen }).transitions.at(-1);
    expect(last).to.include({ from: 'ESTABLISHED', to: 'CLOSED', certainty: 'bounded' });
  });
});
