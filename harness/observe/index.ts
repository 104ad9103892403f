export * from './sock-diag.js';
export * from './transition.js';
