import { expect } from 'chai';
import { type ControlBlock, cloneBlock } from './control-block.js';
import {
  ISS,
  inCloseWait,
  inClosing,
  inEstablished,
  inEstablishedByPassiveOpen,
  inFinWait1,
  inFinWait2,
  inLastAck,
  inSynReceived,
  inSynReceivedByActiveOpen,
  inSynSent,
  inTimeWait,
  type Machine,
  PEER_WINDOW,
  STATES,
} from './machine.fixture.js';

/** What must not differ, whatever the road: counters, times and the record of who opened may. */
function essence({ block }: Machine): Partial<ControlBlock> {
  const { counts, isActive, timers, lastReceivedNs, lastSentNs, ...rest } = cloneBlock(block);
  const { rtt, congestion, recovery, rack, troubleSinceNs, challengeRoundNs, tsRecentNs, sndWl1, ...same } =
    rest;
  return same;
}

const roads: readonly (readonly [string, Machine, Machine])[] = [
  ['ESTABLISHED, by either OPEN', inEstablished(), inEstablishedByPassiveOpen()],
  [
    'ESTABLISHED, when both open at once',
    inEstablished(),
    by(inSynReceivedByActiveOpen(), (machine) => machine.recv()),
  ],
  [
    'FIN-WAIT-2, with the FIN acknowledged alone, or closed twice',
    inFinWait2(),
    by(inFinWait1(), (machine) => {
      machine.close();
      machine.recv();
    }),
  ],
  [
    'TIME-WAIT, from FIN-WAIT-2 or with both in one segment',
    inTimeWait(),
    by(inFinWait1(), (machine) => machine.recv({ flags: 'FIN,ACK' })),
  ],
  ['TIME-WAIT, from CLOSING', inTimeWait(), by(inClosing(), (machine) => machine.recv())],
  [
    'LAST-ACK, with a FIN that came before its turn',
    inLastAck(),
    by(inEstablished(), (machine) => {
      machine.recv({ flags: 'FIN,ACK', payload: 'b', seq: machine.block.rcvNxt + 1 });
      machine.block = { ...machine.block, earlyFin: undefined, early: [], recentBlocks: [] };
      machine.recv({ flags: 'FIN,ACK' });
      machine.close();
    }),
  ],
];

function by(machine: Machine, road: (machine: Machine) => void): Machine {
  road(machine);
  return machine;
}

describe('Two roads to a state give the same state:', () => {
  for (const [name, one, other] of roads)
    it(name, () => {
      const [a, b] = [essence(one), essence(other)];
      // Octets that were once in a ring are gone; the memory may stay.
      delete a.receiveRing;
      delete b.receiveRing;
      expect(b).to.deep.equal(a);
    });
});

describe('The fixture', () => {
  it('reaches all eleven states', () => {
    const reached = Object.values(STATES).map((make) => make().state);
    expect(reached).to.deep.equal(Object.keys(STATES));
  });

  it('lets sequence numbers wrap', () => {
    const { block } = inEstablished();
    expect(block.iss).to.equal(ISS);
    expect(inFinWait2().block.sndNxt).to.equal(0);
    expect(inCloseWait().block.rcvNxt).to.equal(0xffff_ffff);
  });

  it('gives the other side a window', () => {
    expect(inEstablished().block.sndWnd).to.equal(PEER_WINDOW);
    expect(inSynReceived().block.sndWnd).to.equal(PEER_WINDOW);
    expect(inSynSent().block.sndWnd).to.equal(0);
  });
});
