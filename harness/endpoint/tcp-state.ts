/** The states of RFC 9293 section 3.3.2, as the RFC writes them. */
export const TCP_STATES = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;

export type TcpState = (typeof TCP_STATES)[number];

/** Linux's numbers (include/net/tcp_states.h), as in sock_diag, TCP_INFO and tracepoints; 12 is TCP_NEW_SYN_RECV. */
const LINUX_STATES: readonly (TcpState | undefined)[] = [
  undefined,
  'ESTABLISHED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'TIME-WAIT',
  'CLOSED',
  'CLOSE-WAIT',
  'LAST-ACK',
  'LISTEN',
  'CLOSING',
  'SYN-RECEIVED',
];

export function tcpStateFromLinux(number: number): TcpState {
  const state = LINUX_STATES[number];
  if (state === undefined) throw new RangeError(`Linux has no TCP state number ${number}`);
  return state;
}

export const linuxNumberOf = (state: TcpState): number => LINUX_STATES.indexOf(state);
