/** RST: aborting, refusing, and what a RST does in each state. */
import {
  abortSendsReset,
  inWindowResetProfile,
  listenerIgnoresReset,
  refusalTold,
  resetEnds,
  resetTold,
  type Scenario,
  unreadDataResets,
} from '../../harness/index.js';
import {
  aborts,
  closesUnread,
  isAlmostReset,
  isRefusedByPeer,
  isResetIn,
  isResetInListen,
  type ServerState,
} from './plays.js';

const STATES: readonly ServerState[] = [
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

export const resetScenarios: readonly Scenario[] = [
  {
    id: 'reset/abort',
    title: 'ensures that a program that aborts sends a RST and the other one is told so',
    play: aborts,
    checks: [abortSendsReset('client'), resetTold('server')],
  },
  {
    id: 'reset/unread-data',
    title: 'ensures that a program that closes with data unread resets the connection',
    play: closesUnread,
    checks: [unreadDataResets('client'), resetTold('server')],
  },
  {
    id: 'reset/into-syn-sent',
    title: 'ensures that a RST that acknowledges the SYN refuses an opening',
    peer: 'server',
    play: isRefusedByPeer,
    checks: [refusalTold('client')],
  },
  {
    id: 'reset/into-listen',
    title: 'ensures that a RST to a listener is ignored',
    peer: 'client',
    play: isResetInListen,
    checks: [listenerIgnoresReset()],
  },
  ...STATES.map(
    (state): Scenario => ({
      id: `reset/into-${state.toLowerCase()}`,
      title: `ensures that a RST at RCV.NXT ends a connection in ${state}`,
      peer: 'client',
      play: (stage) => isResetIn(stage, state),
      checks: [resetEnds('server', state)],
    }),
  ),
  {
    id: 'reset/elsewhere-in-the-window',
    title:
      'ensures that a RST that is not exactly at RCV.NXT is treated as one profile says, and one outside is ignored',
    peer: 'client',
    play: isAlmostReset,
    checks: [inWindowResetProfile('server')],
  },
];
