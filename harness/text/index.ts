export * from './message.js';
export * from './near-names.js';
