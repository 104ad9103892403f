export * from './near-names.js';
