export { allChecks } from './all-checks.js';
export * from './alter.js';
export * from './check.js';
export * from './close.js';
export * from './define.js';
export * from './handshake.js';
export * from './handshake-faults.js';
export * from './handshake-options.js';
export * from './judge.js';
export * from './keep-alive.js';
export { monitors } from './monitors.js';
export type { OnFlow } from './on-flow.js';
export * from './reset.js';
export {
  type BackoffOptions,
  backsOff,
  firstTimeout,
  type GivesUpOptions,
  givesUp,
  isRepeated,
} from './retransmission.js';
export * from './simultaneous.js';
export { type PassesThroughOptions, passesThrough, type StateStep, transitionsLegal } from './states.js';
export * from './time-wait.js';
export type { SegmentName } from './transmissions.js';
export * from './zero-window.js';
