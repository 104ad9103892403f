export * from './abort.js';
export { allChecks } from './all-checks.js';
export * from './alter.js';
export * from './check.js';
export * from './close.js';
export * from './data.js';
export * from './define.js';
export * from './fin-wait-2.js';
export * from './giving-up.js';
export * from './handshake.js';
export * from './handshake-faults.js';
export * from './handshake-options.js';
export * from './judge.js';
export {
  type KeepAliveOptions,
  keepAliveAnswered,
  keepAliveDefaultInterval,
  keepAliveOffByDefault,
  keepAliveOnlyWhenIdle,
  keepAliveShape,
  lastHeardNs,
} from './keep-alive.js';
export * from './keep-alive-interval.js';
export * from './keep-alive-loss.js';
export * from './last-ack.js';
export * from './legs-check.js';
export * from './listener.js';
export { callsOn } from './look.js';
export { monitors } from './monitors.js';
export * from './old-duplicate-syn.js';
export type { OnFlow } from './on-flow.js';
export { type EndOfPatience, endOfPatience, toldOrClosed } from './patience.js';
export * from './repeated-fin.js';
export * from './reset.js';
export { type BackoffOptions, backsOff, firstTimeout, isRepeated } from './retransmission.js';
export * from './retransmission-timer.js';
export * from './simultaneous.js';
export { type PassesThroughOptions, passesThrough, type StateStep, transitionsLegal } from './states.js';
export * from './time-wait.js';
export { gapsOf, type SegmentName, type Transmissions, transmissionsOf } from './transmissions.js';
export * from './urgent.js';
export * from './user-timeout.js';
export {
  shutWindow,
  staysOpenWhileProbed,
  type ZeroWindowOptions,
  zeroWindowProbed,
  zeroWindowProbesAnswered,
  zeroWindowProbesBackOff,
} from './zero-window.js';
