export * from './run.js';
export * from './two-hosts.js';
export { Violation } from './violation.js';
export { VirtualClock } from './virtual-clock.js';
