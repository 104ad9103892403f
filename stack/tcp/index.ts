export {
  abort,
  canSend,
  close,
  hasEnded,
  peek,
  readNext,
  receive,
  release,
  type SendOptions,
  send,
  setSettings,
} from './calls.js';
export { type ControlBlock, nextTimerNs, type SocketAddress, type TimerName } from './control-block.js';
export { resetFor } from './emit.js';
export { expire } from './expire.js';
export { type IcmpNews, icmpArrives } from './icmp.js';
export { newBlock, type OpenOptions } from './new-block.js';
export { inListen } from './no-connection.js';
export { openActive, openPassive } from './open.js';
export { readSynOptions, type SynOptions } from './options.js';
export { rcvWnd } from './receive-window.js';
export { currentRtoNs } from './round-trip.js';
export { segmentArrives } from './segment-arrives.js';
export { DEFAULT_SETTINGS, type TcpSettings } from './settings.js';
export { effectiveMss, flightOctets, pipeOctets, segmentDataOctets, unsentOctets } from './sizes.js';
export { isSynchronized, maySend, receivesText, type TcpState } from './state.js';
export { type ConnectionStatus, status } from './status.js';
export { type Notice, newStep, type Step, type TcpError } from './step.js';
export { fromMs, NANOS_PER_MS, type Nanos, NEVER } from './time.js';
export { advance, type TcpEvent, type Transition, transition } from './transition.js';
