import { expect } from 'chai';
import { traceOf, traceWith } from '../trace/index.js';
import { ladder } from './ladder.js';

const WIDE = { color: false, columns: 120 };
const NARROW = { color: false, columns: 80 };

/** The rows below the heading. */
const rows = (text: string): readonly string[] => text.split('\n').slice(3, -1);
const drawn = (lines: readonly string[]): string => lines.map((line) => line.replace(/\s+$/, '')).join('\n');

const lostFinalAck = traceWith(
  {
    scenario: 'close/lost-final-ack',
    lab: 'netns',
    faults: { 'drop final-ack once': 'drop final-ack once' },
  },
  'server listen()',
  'server LISTEN',
  'client connect()',
  'client SYN-SENT',
  'client SYN',
  'server SYN-RECEIVED',
  'server SYN,ACK',
  'client ESTABLISHED',
  'client ACK',
  'server ESTABLISHED',
  '@10 client close()',
  'client FIN-WAIT-1',
  'client FIN,ACK',
  'server CLOSE-WAIT',
  'server ACK',
  'client FIN-WAIT-2',
  '+4 server receive() = end',
  'server close()',
  'server LAST-ACK',
  'server FIN,ACK',
  'client TIME-WAIT',
  'client ACK, dropped by drop final-ack once',
  '+206 server FIN,ACK again',
  'client ACK',
  'server CLOSED inferred 4',
  '+60000 client CLOSED bounded 200',
);

const LOST_FINAL_ACK_WIDE = `
close/lost-final-ack · IPv4 · lab netns

       ms               client linux@6.1 10.0.0.1                                linux@6.1 10.0.0.2 server
    0.000   connect() SYN-SENT │                                                                  │ listen() LISTEN
    0.400                      ├───────────────── SYN seq=0 win=64240 mss=1460 ──────────────────▶│ SYN-RECEIVED
    0.600          ESTABLISHED │◀───────────── SYN,ACK seq=0 ack=1 win=64240 mss=1460 ────────────┤
    0.800                      ├──────────────── ACK seq=1 ack=1 · handshake ACK ────────────────▶│ ESTABLISHED
   10.200   close() FIN-WAIT-1 ├──────── FIN,ACK seq=1 ack=1 · FIN of the active closer ─────────▶│ CLOSE-WAIT
   10.400           FIN-WAIT-2 │◀──────────── ACK seq=1 ack=2 · ACK of the active FIN ────────────┤
   14.500                      │                                                                  │ receive: end
   14.800            TIME-WAIT │◀──────── FIN,ACK seq=1 ack=2 · FIN of the passive closer ────────┤ close() LAST-ACK
   15.000                      ├── ACK seq=2 ack=2 · final ACK ──✗ dropped by fault 1             │
        ⋮                      ┊                             … 206 ms                             ┊
  221.000                      │◀─── FIN,ACK seq=1 ack=2 · FIN of the passive closer, 2nd copy ───┤
  221.100                      ├───────────── ACK seq=2 ack=2 · final ACK, 2nd copy ─────────────▶│ CLOSED?
        ⋮                      ┊                             … 60.0 s                             ┊
60221.200              CLOSED~ │                                                                  │

~ seen at the next look, entered some time before
? not seen itself, follows from what was
`;

const LOST_FINAL_ACK_ASCII = `
close/lost-final-ack, IPv4, lab netns

       ms        client linux@6.1 10.0.0.1      linux@6.1 10.0.0.2 server
    0.000               |                                        | listen()
    0.100     connect() |                                        | LISTEN
    0.400      SYN-SENT |---- SYN seq=0 win=64240 mss=1460 ----->| SYN-RECEIVED
    0.600   ESTABLISHED |<--------- SYN,ACK seq=0 ack=1 ---------|
    0.800               |--- ACK seq=1 ack=1, handshake ACK ---->| ESTABLISHED
   10.000       close() |                                        |
   10.200    FIN-WAIT-1 |--- FIN,ACK seq=1 ack=1, active FIN --->| CLOSE-WAIT
   10.400    FIN-WAIT-2 |<----- ACK seq=1 ack=2, ACK of FIN -----|
   14.500               |                                        | receive: end
   14.600               |                                        | close()
   14.800     TIME-WAIT |<--- FIN,ACK seq=1 ack=2, passive FIN --| LAST-ACK
   15.000               |-- ACK seq=2 ack=2, final ACK --X       |
                        |  dropped by fault 1 (drop final-ack    |
                        |  once)                                 |
        :               :               ... 206 ms               :
  221.000               |<---- FIN,ACK, passive FIN, 2nd copy ---|
  221.100               |------ ACK, final ACK, 2nd copy ------->| CLOSED?
        :               :               ... 60.0 s               :
60221.200       CLOSED~ |                                        |

~ seen at the next look, entered some time before
? not seen itself, follows from what was
`;

describe('ladder', () => {
  it('draws a lost final ACK at 120 columns', () => {
    expect(`\n${ladder(lostFinalAck, WIDE)}`).to.equal(LOST_FINAL_ACK_WIDE);
  });

  it('draws it at 80 columns in ASCII', () => {
    const text = ladder(lostFinalAck, { ...NARROW, ascii: true });
    expect(`\n${text}`).to.equal(LOST_FINAL_ACK_ASCII);
    expect(text).to.match(/^[\n -~]*$/);
  });

  it('fits the columns it is given', () => {
    for (const columns of [80, 100, 120, 160])
      for (const line of ladder(lostFinalAck, { color: false, columns }).split('\n'))
        expect([...line].length, line).to.be.at.most(columns);
  });

  it('has escape sequences only when asked for colour, and says the same with them', () => {
    const plain = ladder(lostFinalAck, WIDE);
    const colored = ladder(lostFinalAck, { ...WIDE, color: true });
    expect(plain).to.not.include('\u001b');
    expect(colored).to.include('\u001b[31m✗\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(colored.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '')).to.equal(plain);
  });

  it('draws a held, a delayed and a crossing segment twice: where it left and where it arrived', () => {
    const trace = traceWith(
      { faults: { h: 'hold client.fin', d: 'delay server.fin by 30ms' } },
      'client SYN',
      'server SYN,ACK',
      'client ACK',
      '+10 client close()',
      'client FIN-WAIT-1',
      'client FIN,ACK, held 20 by h',
      'server close()',
      'server FIN-WAIT-1',
      'server FIN,ACK, delayed 30 by d',
      'mark both have left',
      '+19.7 server CLOSING',
    );
    expect(drawn(rows(ladder(trace, WIDE)).slice(3))).to.equal(
      `
   10.400   close() FIN-WAIT-1 ├── FIN,ACK seq=1 ack=1 · active FIN ──╌╌╌ held by fault h         │
   10.700                      │           ╌╌╌── FIN,ACK seq=1 ack=1 · FIN of the active closer ──┤ close() FIN-WAIT-1
                               │          delayed by 30 ms by fault d (delay server.fin by 30ms)  │
   10.800                      │ * both have left                                                 │
   30.450                      │╌╌╌╌╌╌╌ FIN,ACK seq=1 ack=1 · active FIN, sent at 10.400 ╌╌╌╌╌╌╌╌▶│ CLOSING
   40.750                      │◀╌╌╌╌╌╌╌╌ FIN,ACK seq=1 ack=1 · active FIN, sent at 10.700 ╌╌╌╌╌╌╌│`.slice(1),
    );
  });

  it('draws SYNs that cross on a wire without faults as crossing', () => {
    const trace = traceOf('client SYN', '+0.02 server SYN');
    expect(drawn(rows(ladder(trace, NARROW)))).to.equal(
      `
    0.000               ├── SYN seq=0 ──╌╌╌ under way            │
    0.020               │            under way ╌╌╌── SYN seq=0 ──┤
    0.050               │╌╌╌╌╌╌ SYN seq=0 · sent at 0.000 ╌╌╌╌╌╌▶│
    0.070               │◀╌╌╌╌╌╌ SYN seq=0 · sent at 0.020 ╌╌╌╌╌╌│`.slice(1),
    );
  });

  it('starts on the wire what the harness injected', () => {
    const trace = traceWith(
      { faults: { f: 'inject rst' } },
      'client SYN',
      'server SYN,ACK',
      'client RST, injected by f',
    );
    expect(rows(ladder(trace, WIDE))[2]).to.equal(
      '    0.200                      │         injected by fault f (inject rst) ✚── RST seq=1 ─────────▶│',
    );
    expect(rows(ladder(trace, NARROW))[2]).to.equal(
      '    0.200               │   injected by fault f ✚── RST seq=1 ──▶│',
    );
  });

  it('names on the arrow what else a fault did', () => {
    const trace = traceWith(
      { faults: { f: 'rewrite syn' } },
      'client SYN, rewritten by f',
      'client SYN again, duplicated by f',
    );
    expect(drawn(rows(ladder(trace, WIDE)))).to.equal(
      `
    0.000                      ├──── SYN seq=0 · rewritten (window) by fault f (rewrite syn) ────▶│
    0.100                      ├─── SYN seq=0 · 2nd copy, duplicated by fault f (rewrite syn) ───▶│`.slice(1),
    );
  });

  it('shows a call that fails later at its return, what waiting calls found, and no mere looks', () => {
    const trace = traceOf(
      'client connect() = ETIMEDOUT took 3000',
      'client SYN, lost',
      'server accept() took 10',
      'server receive() = 1 took 2',
      'client getOption() = 3',
      'client shutdown(write)',
    );
    expect(drawn(rows(ladder(trace, WIDE)))).to.equal(
      `
    0.100            connect() ├── SYN seq=0 win=64240 mss=1460 ──✗ lost                          │
    0.500      shutdown(write) │                                                                  │ receive: 1 octet
   10.200                      │                                                                  │ accept()
        ⋮                      ┊                             … 2.99 s                             ┊
 3000.000   connect: ETIMEDOUT │                                                                  │`.slice(1),
    );
  });

  it('numbers connections when there are several', () => {
    const trace = traceOf('client SYN-SENT', 'client SYN', 'client#2 SYN-SENT', 'client#2 SYN');
    expect(drawn(rows(ladder(trace, NARROW)))).to.equal(
      `
    0.100   #1 SYN-SENT ├─── #1 SYN seq=0 win=64240 mss=1460 ───▶│
    0.300   #2 SYN-SENT ├─── #2 SYN seq=0 win=64240 mss=1460 ───▶│`.slice(1),
    );
  });

  it('draws what is not TCP', () => {
    const trace = traceOf('client SYN');
    const events = trace.events.flatMap((event) => {
      if (event.kind !== 'segment') return [];
      const { segment: _, facts: __, ...rest } = event;
      return [{ ...rest, packet: new Uint8Array(56) }];
    });
    expect(rows(ladder({ ...trace, events }, NARROW))).to.deep.equal([
      '    0.000               ├───────── not TCP, 56 octets ──────────▶│',
    ]);
  });

  it('draws only the heading of an empty trace', () => {
    expect(rows(ladder(traceOf(), WIDE))).to.deep.equal([]);
  });
});
