/** What no toxic can do: a segment lost on one leg. Only that leg's two kernels know of it. */
import { drop, finalAck, isRepeated, type LegName, onLeg, staysInLastAck } from '../../harness/index.js';
import { goesThrough } from './checks.js';
import { conversed, listens } from './plays.js';
import type { TableScenario } from './row.js';
import { undisturbed } from './separate.js';

const KERNEL = 'none: TCP repeats, Toxiproxy never learns of it';

const lostFinalAck = (leg: LegName): TableScenario => {
  const other = leg === 'client' ? 'server' : 'client';
  const stuck = leg === 'client' ? 'proxy-to-client' : 'server';
  const what = 'LAST-ACK until the FIN is repeated and acknowledged';
  return {
    id: `toxiproxy/lost-final-ack-on-the-${leg}s-leg`,
    title: `shows that a final ACK lost on the ${leg}'s leg keeps ${leg === 'client' ? 'the proxy' : 'the server'} in LAST-ACK, and nobody on the other leg`,
    row: {
      what: `fault on the ${leg}’s leg: \`drop final-ack once\``,
      clientLeg: leg === 'client' ? what : 'as ever',
      serverLeg: leg === 'client' ? 'as ever' : what,
      programs: 'both: the end, as ever',
    },
    faults: { [leg]: [drop(finalAck().from('client').copy(1))] },
    async play(stage) {
      const { client, server } = await conversed(stage);
      await client.close();
      await listens(server);
      await server.close();
      await stage.reaches(stuck, 'CLOSED');
      await stage.wires[leg].sees(finalAck().copy(2), { delivered: true });
    },
    checks: [
      onLeg(leg, isRepeated('server.fin'), {
        id: 'fin-repeated',
        sentence: 'The FIN whose ACK was lost is repeated by the kernel that sent it',
        source: KERNEL,
      }),
      onLeg(leg, staysInLastAck(), {
        id: 'stays-in-last-ack',
        sentence: 'Until the ACK comes again, that kernel stays in LAST-ACK',
        source: KERNEL,
      }),
      goesThrough(stuck, ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'], KERNEL),
      undisturbed(other, KERNEL),
    ],
  };
};

export const lostSegmentScenarios: readonly TableScenario[] = [
  lostFinalAck('client'),
  lostFinalAck('server'),
];
