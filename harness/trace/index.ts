export * from './assemble.js';
export * from './fixture.js';
export * from './query.js';
export * from './states.js';
export * from './trace.js';
export * from './words.js';
