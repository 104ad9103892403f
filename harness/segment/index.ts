export * from './ip-address.js';
export * from './segment.js';
export * from './sequence.js';
