import { expect } from 'chai';
import type { TcpState } from '../endpoint/index.js';
import type { Side } from '../fault/index.js';
import { joinStates } from './join-states.js';
import type { Sighting } from './sighting.js';
import type { TracepointEvent } from './tracepoint-event.js';

const client = { local: { ip: '10.0.0.1', port: 4001 }, remote: { ip: '10.0.0.2', port: 80 } };
const server = { local: client.remote, remote: client.local };
const ends = { client, server };

const seen = (
  side: Side,
  [notBeforeUs, atUs]: readonly [number, number],
  state: TcpState,
  more: Partial<Sighting> = {},
): Sighting => ({
  kind: 'sighting',
  side,
  ...ends[side],
  notBeforeNs: notBeforeUs * 1000,
  atNs: atUs * 1000,
  state,
  holder: state === 'CLOSED' ? 'none' : 'full',
  ...(state === 'CLOSED' ? {} : { cookie: '1' }),
  isListened: false,
  eye: 'sock_diag',
  ...more,
});

const changed = (
  side: Side,
  atUs: number,
  from: TcpState,
  to: TcpState,
  more: Partial<TracepointEvent> = {},
): TracepointEvent => ({
  name: 'inet_sock_set_state',
  atNs: atUs * 1000,
  side,
  socket: 1,
  ...ends[side],
  change: { from, to },
  detail: {},
  ...more,
});

/** Each transition in one line: `10 CLOSED -> SYN-SENT, exact`. */
const story = (...input: Parameters<typeof joinStates>): string[] =>
  joinStates(...input).transitions.map(
    ({ atNs, from, to, eye, certainty }) => `${atNs / 1000} ${from} -> ${to}, ${certainty} (${eye})`,
  );

describe('states from looks alone', () => {
  it('are bounded by the looks, with what must have been passed inferred', () => {
    const sightings = [seen('client', [0, 10], 'ESTABLISHED'), seen('client', [20, 30], 'FIN-WAIT-1')];
    expect(story({ sightings })).to.deep.equal([
      '10 CLOSED -> SYN-SENT, inferred (sock_diag)',
      '10 SYN-SENT -> ESTABLISHED, bounded (sock_diag)',
      '30 ESTABLISHED -> FIN-WAIT-1, bounded (sock_diag)',
    ]);
    expect(joinStates({ sightings }).transitions.at(-1)?.notBeforeNs).to.equal(20_000);
  });

  it('begin in LISTEN where a request socket was seen or a listener stood there', () => {
    const request = seen('server', [0, 10], 'SYN-RECEIVED', { holder: 'request' });
    const listened = seen('server', [0, 5], 'CLOSED', { isListened: true });
    expect(story({ sightings: [request] })).to.deep.equal(['10 LISTEN -> SYN-RECEIVED, bounded (sock_diag)']);
    expect(story({ sightings: [listened, seen('server', [5, 10], 'ESTABLISHED')] })).to.deep.equal([
      '10 LISTEN -> SYN-RECEIVED, inferred (sock_diag)',
      '10 SYN-RECEIVED -> ESTABLISHED, bounded (sock_diag)',
    ]);
  });

  it('take a socket that is gone for CLOSED, and a request that is gone for LISTEN', () => {
    const lastAck = [seen('server', [0, 10], 'LAST-ACK'), seen('server', [20, 30], 'CLOSED')];
    expect(story({ sightings: lastAck }).at(-1)).to.equal('30 LAST-ACK -> CLOSED, inferred (sock_diag)');
    const request = [
      seen('server', [0, 10], 'SYN-RECEIVED', { holder: 'request' }),
      seen('server', [20, 30], 'CLOSED', { isListened: true }),
    ];
    expect(story({ sightings: request }).at(-1)).to.equal('30 SYN-RECEIVED -> LISTEN, inferred (sock_diag)');
  });

  it('take the end of a socket for seen when the kernel told of it', () => {
    const sightings = [
      seen('server', [0, 10], 'LAST-ACK'),
      seen('server', [20, 30], 'CLOSED', { eye: 'destroy' }),
    ];
    expect(story({ sightings }).at(-1)).to.equal('30 LAST-ACK -> CLOSED, bounded (destroy)');
  });

  it('show an orphan that changes its holder in FIN-WAIT-2 as staying there', () => {
    const sightings = [
      seen('client', [0, 10], 'FIN-WAIT-2'),
      seen('client', [20, 30], 'FIN-WAIT-2', { holder: 'mini' }),
      seen('client', [40, 50], 'TIME-WAIT', { holder: 'mini' }),
    ];
    expect(story({ sightings }).slice(-1)).to.deep.equal(['50 FIN-WAIT-2 -> TIME-WAIT, bounded (sock_diag)']);
    expect(story({ sightings })).to.have.length(5);
  });

  it('tell a pair used again by its cookie', () => {
    const sightings = [
      seen('client', [0, 10], 'TIME-WAIT', { holder: 'mini' }),
      seen('client', [20, 30], 'SYN-SENT', { cookie: '2' }),
    ];
    expect(story({ sightings }).slice(-2)).to.deep.equal([
      '30 TIME-WAIT -> CLOSED, inferred (sock_diag)',
      '30 CLOSED -> SYN-SENT, bounded (sock_diag)',
    ]);
  });

  it('go from SYN-RECEIVED straight to FIN-WAIT-1 only for a full socket', () => {
    const full = [seen('client', [0, 10], 'SYN-RECEIVED'), seen('client', [20, 30], 'FIN-WAIT-1')];
    expect(story({ sightings: full }).at(-1)).to.equal('30 SYN-RECEIVED -> FIN-WAIT-1, bounded (sock_diag)');
  });
});

describe('states from tracepoints joined with looks', () => {
  it('leave out the second socket that a kernel made of one request, and closed at once', () => {
    const second = { socket: 2 };
    const events = [
      changed('server', 10, 'LISTEN', 'SYN-RECEIVED'),
      changed('server', 10, 'SYN-RECEIVED', 'ESTABLISHED'),
      changed('server', 12, 'LISTEN', 'SYN-RECEIVED', second),
      changed('server', 12, 'SYN-RECEIVED', 'CLOSED', second),
      changed('server', 30, 'ESTABLISHED', 'CLOSE-WAIT'),
    ];
    expect(story({ sightings: [], events })).to.deep.equal([
      '10 LISTEN -> SYN-RECEIVED, inferred (tracepoint)',
      '10 SYN-RECEIVED -> ESTABLISHED, exact (tracepoint)',
      '30 ESTABLISHED -> CLOSE-WAIT, exact (tracepoint)',
    ]);
  });

  it('keep a connection that was closed in SYN-RECEIVED, also when its pair is used again', () => {
    const events = [
      changed('server', 10, 'LISTEN', 'SYN-RECEIVED'),
      changed('server', 20, 'SYN-RECEIVED', 'CLOSED'),
      changed('server', 30, 'LISTEN', 'SYN-RECEIVED', { socket: 2 }),
    ];
    expect(story({ sightings: [], events })).to.have.lengthOf(3);
  });

  it('are exact, and the looks at full sockets add nothing', () => {
    const events = [
      changed('client', 5, 'CLOSED', 'SYN-SENT'),
      changed('client', 8, 'SYN-SENT', 'ESTABLISHED'),
    ];
    const sightings = [seen('client', [0, 6], 'SYN-SENT'), seen('client', [6, 12], 'ESTABLISHED')];
    expect(story({ sightings, events })).to.deep.equal([
      '5 CLOSED -> SYN-SENT, exact (tracepoint)',
      '8 SYN-SENT -> ESTABLISHED, exact (tracepoint)',
    ]);
  });

  it('have SYN-RECEIVED from the request socket, before the third segment makes a full one', () => {
    const sightings = [
      seen('server', [0, 6], 'SYN-RECEIVED', { holder: 'request' }),
      seen('server', [20, 40], 'ESTABLISHED'),
    ];
    const events = [
      changed('server', 30, 'LISTEN', 'SYN-RECEIVED'),
      changed('server', 31, 'SYN-RECEIVED', 'ESTABLISHED'),
    ];
    expect(story({ sightings, events })).to.deep.equal([
      '6 LISTEN -> SYN-RECEIVED, bounded (sock_diag)',
      '31 SYN-RECEIVED -> ESTABLISHED, exact (tracepoint)',
    ]);
    expect(story({ sightings: [], events })[0]).to.equal('30 LISTEN -> SYN-RECEIVED, inferred (tracepoint)');
  });

  it('never put SYN-RECEIVED behind what followed it, though the look ended later', () => {
    const sightings = [seen('server', [0, 35], 'SYN-RECEIVED', { holder: 'request' })];
    const events = [
      changed('server', 30, 'LISTEN', 'SYN-RECEIVED'),
      changed('server', 31, 'SYN-RECEIVED', 'ESTABLISHED'),
    ];
    expect(story({ sightings, events })[0]).to.equal('30 LISTEN -> SYN-RECEIVED, bounded (sock_diag)');
  });

  const intoFinWait2 = [
    changed('client', 5, 'ESTABLISHED', 'FIN-WAIT-1'),
    changed('client', 10, 'FIN-WAIT-1', 'FIN-WAIT-2'),
  ];
  const early = seen('client', [0, 4], 'ESTABLISHED');

  it('read FIN-WAIT-2 to CLOSE with a TIME-WAIT socket behind it as FIN-WAIT-2 to TIME-WAIT', () => {
    const events = [...intoFinWait2, changed('client', 50, 'FIN-WAIT-2', 'CLOSED')];
    const sightings = [
      early,
      seen('client', [45, 60], 'TIME-WAIT', { holder: 'mini' }),
      seen('client', [60_000_000, 60_020_000], 'CLOSED'),
    ];
    expect(story({ sightings, events }).slice(-2)).to.deep.equal([
      '50 FIN-WAIT-2 -> TIME-WAIT, exact (tracepoint)',
      '60020000 TIME-WAIT -> CLOSED, inferred (sock_diag)',
    ]);
  });

  it('read the same change as nothing where an orphan stays in FIN-WAIT-2, and leave TIME-WAIT to the looks', () => {
    const events = [...intoFinWait2, changed('client', 11, 'FIN-WAIT-2', 'CLOSED')];
    const sightings = [
      early,
      seen('client', [9, 20], 'FIN-WAIT-2', { holder: 'mini' }),
      seen('client', [80, 90], 'TIME-WAIT', { holder: 'mini' }),
    ];
    expect(story({ sightings, events }).slice(-2)).to.deep.equal([
      '10 FIN-WAIT-1 -> FIN-WAIT-2, exact (tracepoint)',
      '90 FIN-WAIT-2 -> TIME-WAIT, bounded (sock_diag)',
    ]);
  });

  const freed = (atUs: number): TracepointEvent => {
    const { change: _, ...event } = changed('client', atUs, 'CLOSED', 'CLOSED');
    return { ...event, name: 'tcp_destroy_sock' };
  };

  it('bound TIME-WAIT where the look came too late to tell which of the two an orphan was in first', () => {
    const events = [...intoFinWait2, changed('client', 11, 'FIN-WAIT-2', 'CLOSED'), freed(12)];
    const sightings = [early, seen('client', [5, 9000], 'TIME-WAIT', { holder: 'mini' })];
    const { transitions } = joinStates({ sightings, events });
    expect(transitions.at(-1)).to.include({ to: 'TIME-WAIT', certainty: 'bounded', notBeforeNs: 11_000 });
  });

  it('trust TIME-WAIT, however late the look, where the socket was no orphan', () => {
    const events = [...intoFinWait2, changed('client', 50, 'FIN-WAIT-2', 'CLOSED'), freed(7_000_000)];
    const sightings = [early, seen('client', [5, 9000], 'TIME-WAIT', { holder: 'mini' })];
    expect(story({ sightings, events }).at(-1)).to.equal('50 FIN-WAIT-2 -> TIME-WAIT, exact (tracepoint)');
  });

  it('leave out a socket that was made of a segment of a connection that has one', () => {
    const events = [
      changed('server', 10, 'LISTEN', 'SYN-RECEIVED'),
      changed('server', 11, 'SYN-RECEIVED', 'ESTABLISHED'),
      changed('server', 12, 'LISTEN', 'SYN-RECEIVED', { socket: 2 }),
      changed('server', 13, 'SYN-RECEIVED', 'CLOSED', { socket: 2 }),
      changed('server', 20, 'ESTABLISHED', 'CLOSE-WAIT'),
      // After its end another connection of the pair may fail by itself.
      changed('server', 30, 'CLOSE-WAIT', 'CLOSED'),
      changed('server', 40, 'LISTEN', 'SYN-RECEIVED', { socket: 3 }),
      changed('server', 41, 'SYN-RECEIVED', 'CLOSED', { socket: 3 }),
    ];
    const { transitions } = joinStates({ sightings: [], events });
    expect(transitions.map(({ to }) => to).join(' ')).to.equal(
      'SYN-RECEIVED ESTABLISHED CLOSE-WAIT CLOSED SYN-RECEIVED CLOSED',
    );
  });

  it('are no others where the kernel sets a state again: a close in CLOSING', () => {
    const events = [
      changed('client', 10, 'FIN-WAIT-1', 'CLOSING'),
      changed('client', 15, 'CLOSING', 'CLOSING'),
      changed('client', 20, 'CLOSING', 'CLOSED'),
    ];
    expect(story({ sightings: [], events })).to.deep.equal([
      '10 FIN-WAIT-1 -> CLOSING, exact (tracepoint)',
      '20 CLOSING -> CLOSED, inferred (tracepoint)',
    ]);
  });

  it('read CLOSING to CLOSE with a TIME-WAIT socket as CLOSING to TIME-WAIT', () => {
    const events = [
      changed('client', 5, 'ESTABLISHED', 'FIN-WAIT-1'),
      changed('client', 10, 'FIN-WAIT-1', 'CLOSING'),
      changed('client', 20, 'CLOSING', 'CLOSED'),
    ];
    const sightings = [early, seen('client', [5, 9000], 'TIME-WAIT', { holder: 'mini' })];
    expect(story({ sightings, events }).at(-1)).to.equal('20 CLOSING -> TIME-WAIT, exact (tracepoint)');
  });

  it('keep CLOSED where no mini socket followed, and do not vouch for it where nobody looked', () => {
    const events = [...intoFinWait2, changed('client', 50, 'FIN-WAIT-2', 'CLOSED')];
    const reset = [early, seen('client', [40, 60], 'CLOSED')];
    expect(story({ sightings: reset, events }).at(-1)).to.equal(
      '50 FIN-WAIT-2 -> CLOSED, exact (tracepoint)',
    );
    expect(story({ sightings: [], events }).at(-1)).to.equal(
      '50 FIN-WAIT-2 -> CLOSED, inferred (tracepoint)',
    );
  });

  it('give an active opening the port that the kernel picked after its first event', () => {
    const unbound = { ...client, local: { ...client.local, port: 0 } };
    const events = [
      changed('client', 5, 'CLOSED', 'SYN-SENT', unbound),
      changed('client', 8, 'SYN-SENT', 'ESTABLISHED'),
    ];
    const { transitions } = joinStates({ sightings: [], events });
    expect(transitions.map(({ local }) => local.port)).to.deep.equal([4001, 4001]);
    const onlySeen = joinStates({
      sightings: [seen('client', [0, 6], 'SYN-SENT')],
      events: events.slice(0, 1),
    });
    expect(onlySeen.transitions.map(({ local }) => local.port)).to.deep.equal([4001]);
  });

  it('keep two lives of one pair apart', () => {
    const events = [
      changed('client', 5, 'CLOSED', 'SYN-SENT'),
      changed('client', 8, 'SYN-SENT', 'CLOSED'),
      changed('client', 100, 'CLOSED', 'SYN-SENT'),
      changed('client', 108, 'SYN-SENT', 'ESTABLISHED'),
    ];
    const sightings = [
      seen('client', [0, 6], 'SYN-SENT'),
      seen('client', [6, 20], 'CLOSED'),
      seen('client', [90, 105], 'SYN-SENT', { cookie: '2' }),
    ];
    expect(story({ sightings, events })).to.deep.equal([
      '5 CLOSED -> SYN-SENT, exact (tracepoint)',
      '8 SYN-SENT -> CLOSED, exact (tracepoint)',
      '100 CLOSED -> SYN-SENT, exact (tracepoint)',
      '108 SYN-SENT -> ESTABLISHED, exact (tracepoint)',
    ]);
  });

  it('turn the other tracepoints into notes with what they explain', () => {
    const { name: _, change: __, ...event } = changed('server', 7, 'LISTEN', 'CLOSED');
    const { transitions, notes } = joinStates({
      sightings: [],
      events: [{ ...event, name: 'tcp_send_reset', detail: { reason: 'NO_SOCKET' } }],
    });
    expect(transitions).to.deep.equal([]);
    expect(notes).to.deep.equal([
      {
        kind: 'note',
        atNs: 7000,
        side: 'server',
        ...server,
        what: 'tcp_send_reset',
        detail: { reason: 'NO_SOCKET' },
        eye: 'tracepoint',
      },
    ]);
  });
});
