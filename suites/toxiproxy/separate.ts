/** Checks of what the two connections have, or have not, in common. */
import {
  changeEvents,
  changeSegments,
  FLAG,
  firstSegment,
  type LegName,
  type Legs,
  type LegsCheck,
  needed,
  neededSome,
  type Role,
  removeEvents,
  segmentsOf,
  type TcpEvent,
} from '../../harness/index.js';
import { fact } from './checks.js';

const synOf = (legs: Legs, leg: LegName): TcpEvent =>
  needed(firstSegment(legs[leg], { from: 'client', role: 'syn' }), `there is no SYN on the ${leg}'s leg`);

export const ownIsns = (source: string): LegsCheck =>
  fact({
    id: 'own-isns',
    sentence: 'Each leg has initial sequence numbers and ports of its own',
    source,
    look(legs) {
      const [client, server] = [synOf(legs, 'client'), synOf(legs, 'server')];
      const holds =
        client.segment.seq !== server.segment.seq && client.segment.srcPort !== server.segment.srcPort;
      return {
        holds,
        finding: `ISS ${client.segment.seq} and ${server.segment.seq}`,
        events: [client, server],
      };
    },
    mutate: (legs) => {
      const { seq } = synOf(legs, 'client').segment;
      return { ...legs, server: changeSegments(legs.server, [synOf(legs, 'server')], () => ({ seq })) };
    },
  });

function mssOf({ segment }: TcpEvent): number | undefined {
  const option = segment.options.find(({ kind }) => kind === 'mss');
  return option?.kind === 'mss' ? option.mss : undefined;
}

export const ownMss = (source: string): LegsCheck =>
  fact({
    id: 'own-mss',
    sentence: 'The MSS, as all options, is that of the leg and not of the way',
    source,
    look(legs) {
      const events = [synOf(legs, 'client'), synOf(legs, 'server')];
      const [client, server] = events.map(mssOf);
      return { holds: client !== server, finding: `MSS ${client} and ${server}`, events };
    },
    mutate: (legs) => {
      const { options } = synOf(legs, 'client').segment;
      return { ...legs, server: changeSegments(legs.server, [synOf(legs, 'server')], () => ({ options })) };
    },
  });

const dataOf = (legs: Legs, leg: LegName) =>
  neededSome(
    segmentsOf(legs[leg], { from: 'server', data: true, copy: 1 }),
    `there is no data on the ${leg}'s leg`,
  );

const octetsOf = (events: readonly TcpEvent[]): number =>
  events.reduce((sum, { segment }) => sum + segment.payload.length, 0);

/** The same octets, in other segments; what a kernel sends again counts once. */
export const cutAnew = (source: string): LegsCheck =>
  fact({
    id: 'segments-cut-anew',
    sentence: 'The same octets go in other segments: where they end on one leg says nothing of the other',
    source,
    look(legs) {
      const [near, far] = [dataOf(legs, 'client'), dataOf(legs, 'server')];
      const holds = octetsOf(near) === octetsOf(far) && near.length !== far.length;
      return {
        holds,
        finding: `${octetsOf(far)} octets in ${far.length} segments become ${octetsOf(near)} in ${near.length}`,
        events: [...near, ...far],
      };
    },
    mutate: (legs) => ({ ...legs, client: removeEvents(legs.client, dataOf(legs, 'client').slice(1)) }),
  });

export const urgentOctetIsLost = (source: string): LegsCheck => {
  const sentOn = (legs: Legs, leg: LegName) =>
    neededSome(
      segmentsOf(legs[leg], { from: 'client', data: true, copy: 1 }),
      `there is no data on the ${leg}'s leg`,
    );
  return fact({
    id: 'urgent-octet-lost',
    sentence: 'URG is on the client’s leg only, and the server’s leg carries one octet less',
    source,
    look(legs) {
      const [near, far] = [sentOn(legs, 'client'), sentOn(legs, 'server')];
      const isUrgent = ({ segment }: TcpEvent) => (segment.flags & FLAG.URG) !== 0;
      const holds = near.some(isUrgent) && !far.some(isUrgent) && octetsOf(near) === octetsOf(far) + 1;
      return {
        holds,
        finding: `${octetsOf(near)} octets become ${octetsOf(far)}`,
        events: [...near, ...far],
      };
    },
    mutate: (legs) => ({
      ...legs,
      server: changeSegments(legs.server, sentOn(legs, 'server'), ({ flags }) => ({
        flags: flags | FLAG.URG,
      })),
    }),
  });
};

/** Segments of a role are on the client's leg and not on the other. */
export const staysOnItsLeg = (role: Role, source: string): LegsCheck => {
  const seen = (legs: Legs) =>
    neededSome(segmentsOf(legs.client, { from: 'client', role }), `the client sent no ${role}`);
  return fact({
    id: `${role}-stays-on-its-leg`,
    sentence: `A ${role} of the client is answered by the proxy and not passed on`,
    source,
    look(legs) {
      const passed = segmentsOf(legs.server, { from: 'client', role });
      return {
        holds: passed.length === 0,
        finding: `${seen(legs).length} on the client's leg, ${passed.length} on the server's`,
        events: [...seen(legs), ...passed],
      };
    },
    mutate: (legs) => ({
      ...legs,
      server: { ...legs.server, events: [...legs.server.events, ...seen(legs)] },
    }),
  });
};

/** No segment of a leg was sent twice. */
export const undisturbed = (leg: LegName, source: string): LegsCheck =>
  fact({
    id: `${leg}-leg-undisturbed`,
    sentence: `Nothing is repeated on the ${leg}'s leg`,
    source,
    look(legs) {
      const all = segmentsOf(legs[leg]);
      const repeats = segmentsOf(legs[leg], { copy: 'repeats' });
      return {
        holds: all.length > 0 && repeats.length === 0,
        finding: `${repeats.length} repeats`,
        events: repeats,
      };
    },
    mutate: (legs) => ({
      ...legs,
      [leg]: changeEvents(legs[leg], segmentsOf(legs[leg]).slice(-1), (event) => ({
        ...event,
        facts: { ...event.facts, copy: 2, parts: [] },
      })),
    }),
  });
