export * from './effect.js';
export * from './flow.js';
