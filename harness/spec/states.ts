/**
 * The state diagram of RFC 9293 (figure 5) and the transitions that its text adds (section 3.10), as data. It knows
 * nothing of any implementation.
 */
import { TCP_STATES, type TcpState } from '../endpoint/index.js';

export interface LegalTransition {
  readonly from: TcpState;
  readonly to: TcpState;
  /** What makes it happen. */
  readonly on: string;
  readonly section: string;
  /** Ids of the catalogue that ask for it, where it has any. */
  readonly requirements: readonly string[];
}

const row = (
  from: TcpState,
  to: TcpState,
  on: string,
  section: string,
  ...requirements: readonly string[]
): LegalTransition => ({ from, to, on, section, requirements });

export const LEGAL_TRANSITIONS: readonly LegalTransition[] = [
  row('CLOSED', 'LISTEN', 'passive OPEN', '3.10.1'),
  row('CLOSED', 'SYN-SENT', 'active OPEN', '3.10.1'),
  row('LISTEN', 'SYN-SENT', 'active OPEN or SEND', '3.10.1, 3.10.2'),
  row('LISTEN', 'SYN-RECEIVED', 'SYN arrives', '3.10.7.2', 'NOID-05'),
  row('LISTEN', 'CLOSED', 'CLOSE or ABORT', '3.10.4, 3.10.5', 'NOID-38'),
  row('SYN-SENT', 'SYN-RECEIVED', 'SYN without ACK arrives (simultaneous open)', '3.10.7.3', 'NOID-10'),
  row('SYN-SENT', 'ESTABLISHED', 'SYN,ACK of our SYN arrives', '3.10.7.3', 'NOID-09'),
  row(
    'SYN-SENT',
    'CLOSED',
    'CLOSE, ABORT, RST, or the user timeout',
    '3.10.4, 3.10.5, 3.10.7.3, 3.10.8',
    'NOID-08',
  ),
  row('SYN-RECEIVED', 'ESTABLISHED', 'ACK of our SYN arrives', '3.10.7.4', 'NOID-24'),
  row('SYN-RECEIVED', 'CLOSE-WAIT', 'FIN arrives with the ACK of our SYN', '3.10.7.4', 'NOID-32'),
  row('SYN-RECEIVED', 'FIN-WAIT-1', 'CLOSE', '3.10.4', 'NOID-39'),
  row(
    'SYN-RECEIVED',
    'LISTEN',
    'RST, or a SYN in the window, arrives after a passive OPEN',
    '3.10.7.4',
    'NOID-18',
  ),
  row(
    'SYN-RECEIVED',
    'CLOSED',
    'RST after an active OPEN, ABORT, or the user timeout',
    '3.10.5, 3.10.7.4, 3.10.8',
  ),
  row('ESTABLISHED', 'FIN-WAIT-1', 'CLOSE', '3.10.4', 'NOID-40'),
  row('ESTABLISHED', 'CLOSE-WAIT', 'FIN arrives', '3.10.7.4', 'NOID-32'),
  row('ESTABLISHED', 'CLOSED', 'RST, ABORT, or the user timeout', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-19'),
  row('FIN-WAIT-1', 'FIN-WAIT-2', 'ACK of our FIN arrives', '3.10.7.4', 'NOID-27'),
  row('FIN-WAIT-1', 'CLOSING', 'FIN arrives before the ACK of ours', '3.10.7.4', 'NOID-33'),
  row('FIN-WAIT-1', 'TIME-WAIT', 'FIN arrives with the ACK of ours', '3.10.7.4', 'NOID-33'),
  row('FIN-WAIT-1', 'CLOSED', 'RST, ABORT, or the user timeout', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-19'),
  row('FIN-WAIT-2', 'TIME-WAIT', 'FIN arrives', '3.10.7.4', 'NOID-34'),
  row('FIN-WAIT-2', 'CLOSED', 'RST, ABORT, or the user timeout', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-19'),
  row('CLOSE-WAIT', 'LAST-ACK', 'CLOSE', '3.10.4', 'NOID-41'),
  row('CLOSE-WAIT', 'CLOSED', 'RST, ABORT, or the user timeout', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-19'),
  row('CLOSING', 'TIME-WAIT', 'ACK of our FIN arrives', '3.10.7.4', 'NOID-29'),
  row('CLOSING', 'CLOSED', 'RST, ABORT, or the user timeout', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-20'),
  row(
    'LAST-ACK',
    'CLOSED',
    'ACK of our FIN, RST, ABORT, or the user timeout',
    '3.10.5, 3.10.7.4, 3.10.8',
    'NOID-30',
  ),
  row('TIME-WAIT', 'CLOSED', '2MSL have passed, RST, or ABORT', '3.10.5, 3.10.7.4, 3.10.8', 'NOID-50'),
  row('TIME-WAIT', 'SYN-RECEIVED', 'a new SYN reopens the connection (MAY-2)', '3.6.1', 'MAY-2'),
];

export function isLegalTransition(from: TcpState, to: TcpState): boolean {
  return LEGAL_TRANSITIONS.some((edge) => edge.from === from && edge.to === to);
}

/** The ids that ask for the steps along a row of states, each once. */
export function requirementsOfPath(states: readonly TcpState[]): readonly string[] {
  const ids = states.flatMap((to, i) => {
    const edge = LEGAL_TRANSITIONS.find((each) => each.from === states[i - 1] && each.to === to);
    return edge?.requirements ?? [];
  });
  return [...new Set(ids)];
}

/**
 * The ways to get from one state to another without coming by any state twice, shortest first; each with both ends.
 * `without` are states known not to have been entered. None means that no conforming endpoint can get there.
 */
export function legalPaths(
  from: TcpState,
  to: TcpState,
  without: readonly TcpState[] = [],
): readonly (readonly TcpState[])[] {
  const paths: TcpState[][] = [];
  const walk = (path: readonly TcpState[], here: TcpState): void => {
    for (const next of TCP_STATES) {
      if (!isLegalTransition(here, next)) continue;
      // What comes after CLOSED, and what reopens a TIME-WAIT, is another connection.
      if (here === 'TIME-WAIT' && here !== from && next !== 'CLOSED') continue;
      if (next === to) paths.push([...path, next]);
      else if (next !== 'CLOSED' && !path.includes(next) && !without.includes(next))
        walk([...path, next], next);
    }
  };
  walk([from], from);
  return paths.sort((a, b) => a.length - b.length);
}
