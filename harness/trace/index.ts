export * from './query.js';
export * from './states.js';
export * from './trace.js';
