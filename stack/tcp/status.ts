/** STATUS of RFC 9293 sections 3.9.1.5 and 3.10.6: what a program may know of its connection. It changes nothing. */
import type { ControlBlock, SocketAddress } from './control-block.js';
import { rcvWnd } from './receive-window.js';
import { flightOctets } from './sizes.js';
import type { TcpState } from './state.js';
import { userTimeoutMs } from './timers.js';

/** Security and compartment, which section 3.9.1.5 lists too, do not exist here. */
export interface ConnectionStatus {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly receiveWindow: number;
  readonly sendWindow: number;
  readonly state: TcpState;
  /** Sequence numbers sent and not acknowledged, SYN and FIN among them. */
  readonly octetsAwaitingAck: number;
  /** Octets that RECEIVE would give. */
  readonly octetsAwaitingReceipt: number;
  /** Urgent data is ahead that the program has not received. */
  readonly isUrgent: boolean;
  /** The user timeout in force; 0: until R2. */
  readonly userTimeoutMs: number;
}

export const status = (block: ControlBlock): ConnectionStatus => ({
  local: block.local,
  remote: block.remote,
  receiveWindow: rcvWnd(block),
  sendWindow: block.sndWnd,
  state: block.state,
  octetsAwaitingAck: flightOctets(block),
  octetsAwaitingReceipt: block.receiveOctets,
  isUrgent: block.isUrgentReceived,
  userTimeoutMs: userTimeoutMs(block),
});
