export * from './carrier.js';
export * from './nfqueue/index.js';
export * from './packet/index.js';
export * from './record.js';
export * from './recorder.js';
export * from './rules/index.js';
export * from './wire.js';
export * from './wire-control.js';
