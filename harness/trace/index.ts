export * from './assemble.js';
export * from './fixture.js';
export * from './json.js';
export * from './pcapng.js';
export * from './query.js';
export { TRACE_VERSION, traceJsonSchema } from './schema.js';
export * from './states.js';
export * from './trace.js';
export * from './words.js';
