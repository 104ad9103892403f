import { expect } from 'chai';
import type { TcpState } from '../endpoint/index.js';
import { exactStates, MINI_SOCK_TRACEPOINT } from './exact-states.js';
import type { TracepointEvent } from './tracepoint-event.js';

const CLIENT = { ip: '198.18.0.1', port: 40_000 };
const SERVER = { ip: '198.18.0.2', port: 7000 };

interface Said {
  readonly atNs: number;
  readonly socket: number;
  readonly from: TcpState;
  readonly to: TcpState;
  readonly isMini?: boolean;
  readonly localPort?: number;
}

const client = ({
  atNs,
  socket,
  from,
  to,
  isMini = false,
  localPort = CLIENT.port,
}: Said): TracepointEvent => ({
  name: isMini ? MINI_SOCK_TRACEPOINT : 'inet_sock_set_state',
  atNs,
  side: 'client',
  socket,
  local: { ...CLIENT, port: localPort },
  remote: SERVER,
  change: { from, to },
  detail: {},
});

const server = (said: Said): TracepointEvent => ({
  ...client(said),
  side: 'server',
  local: SERVER,
  remote: CLIENT,
});

const steps = (events: readonly TracepointEvent[]): string[] =>
  exactStates(events).transitions.map(({ atNs, from, to }) => `${atNs} ${from} ${to}`);

describe('exact states', () => {
  it('see a passive opening from its request on, once', () => {
    const events = [
      server({ atNs: 1, socket: 1, from: 'LISTEN', to: 'SYN-RECEIVED', isMini: true }),
      server({ atNs: 5, socket: 2, from: 'LISTEN', to: 'SYN-RECEIVED' }),
      server({ atNs: 5, socket: 2, from: 'SYN-RECEIVED', to: 'ESTABLISHED' }),
    ];
    expect(steps(events)).to.deep.equal(['1 LISTEN SYN-RECEIVED', '5 SYN-RECEIVED ESTABLISHED']);
  });

  it('take the full socket for the beginning where there was no request (SYN cookies)', () => {
    const events = [
      server({ atNs: 5, socket: 2, from: 'LISTEN', to: 'SYN-RECEIVED' }),
      server({ atNs: 5, socket: 2, from: 'SYN-RECEIVED', to: 'ESTABLISHED' }),
    ];
    expect(steps(events)).to.deep.equal(['5 LISTEN SYN-RECEIVED', '5 SYN-RECEIVED ESTABLISHED']);
  });

  it('see a request that nobody completed end', () => {
    const events = [
      server({ atNs: 1, socket: 1, from: 'LISTEN', to: 'SYN-RECEIVED', isMini: true }),
      server({ atNs: 63, socket: 1, from: 'SYN-RECEIVED', to: 'CLOSED', isMini: true }),
    ];
    expect(steps(events)).to.deep.equal(['1 LISTEN SYN-RECEIVED', '63 SYN-RECEIVED CLOSED']);
  });

  it('see TIME-WAIT begin where the full socket ends, and end when it does', () => {
    const events = [
      client({ atNs: 1, socket: 3, from: 'CLOSED', to: 'SYN-SENT', localPort: 0 }),
      client({ atNs: 2, socket: 3, from: 'SYN-SENT', to: 'ESTABLISHED' }),
      client({ atNs: 3, socket: 3, from: 'ESTABLISHED', to: 'FIN-WAIT-1' }),
      client({ atNs: 4, socket: 3, from: 'FIN-WAIT-1', to: 'FIN-WAIT-2' }),
      client({ atNs: 5, socket: 4, from: 'FIN-WAIT-2', to: 'TIME-WAIT', isMini: true }),
      client({ atNs: 5, socket: 3, from: 'FIN-WAIT-2', to: 'CLOSED' }),
      client({ atNs: 65, socket: 4, from: 'TIME-WAIT', to: 'CLOSED', isMini: true }),
    ];
    expect(steps(events)).to.deep.equal([
      '1 CLOSED SYN-SENT',
      '2 SYN-SENT ESTABLISHED',
      '3 ESTABLISHED FIN-WAIT-1',
      '4 FIN-WAIT-1 FIN-WAIT-2',
      '5 FIN-WAIT-2 TIME-WAIT',
      '65 TIME-WAIT CLOSED',
    ]);
    expect(exactStates(events).transitions.every(({ local }) => local.port === CLIENT.port)).to.equal(true);
  });

  it('see an orphan stay in FIN-WAIT-2 when a mini socket takes over, until it times out', () => {
    const events = [
      client({ atNs: 4, socket: 3, from: 'FIN-WAIT-1', to: 'FIN-WAIT-2' }),
      client({ atNs: 4, socket: 4, from: 'FIN-WAIT-2', to: 'FIN-WAIT-2', isMini: true }),
      client({ atNs: 4, socket: 3, from: 'FIN-WAIT-2', to: 'CLOSED' }),
      client({ atNs: 64, socket: 4, from: 'FIN-WAIT-2', to: 'CLOSED', isMini: true }),
    ];
    expect(steps(events)).to.deep.equal(['4 FIN-WAIT-1 FIN-WAIT-2', '64 FIN-WAIT-2 CLOSED']);
  });

  it('tell a later connection of the same addresses from the one before', () => {
    const events = [
      client({ atNs: 5, socket: 4, from: 'FIN-WAIT-2', to: 'TIME-WAIT', isMini: true }),
      client({ atNs: 5, socket: 3, from: 'FIN-WAIT-2', to: 'CLOSED' }),
      client({ atNs: 9, socket: 4, from: 'TIME-WAIT', to: 'CLOSED', isMini: true }),
      client({ atNs: 9, socket: 3, from: 'CLOSED', to: 'SYN-SENT' }),
      client({ atNs: 10, socket: 3, from: 'SYN-SENT', to: 'CLOSED' }),
    ];
    expect(steps(events).at(-1)).to.equal('10 SYN-SENT CLOSED');
  });

  it('make notes of what explains', () => {
    const { notes } = exactStates([
      {
        name: 'tcp_retransmit_skb',
        atNs: 7,
        side: 'client',
        socket: 1,
        local: CLIENT,
        remote: SERVER,
        detail: { state: 'SYN-SENT' },
      },
    ]);
    expect(notes).to.have.length(1);
    expect(notes[0]).to.include({ what: 'tcp_retransmit_skb', atNs: 7, eye: 'tracepoint' });
  });
});
