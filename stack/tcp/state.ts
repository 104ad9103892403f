/** The states of RFC 9293 section 3.3.2, as the RFC writes them. */
export type TcpState =
  | 'CLOSED'
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT';

/** Those in which SEGMENT ARRIVES of section 3.10.7.4 has data to take. */
export const receivesText = (state: TcpState): boolean =>
  state === 'ESTABLISHED' || state === 'FIN-WAIT-1' || state === 'FIN-WAIT-2';

/** Those in which the program has not closed, so that SEND is allowed. */
export const maySend = (state: TcpState): boolean =>
  state === 'SYN-SENT' || state === 'SYN-RECEIVED' || state === 'ESTABLISHED' || state === 'CLOSE-WAIT';

/** Both sides know of the connection (section 3.5.1). */
export const isSynchronized = (state: TcpState): boolean =>
  state !== 'CLOSED' && state !== 'LISTEN' && state !== 'SYN-SENT' && state !== 'SYN-RECEIVED';
