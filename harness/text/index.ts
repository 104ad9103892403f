export { octetsOf } from './escapes.js';
export * from './human-time.js';
export * from './message.js';
export * from './near-names.js';
export * from './package-version.js';
