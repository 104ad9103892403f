export * from './action.js';
export * from './effect.js';
export * from './engine.js';
export * from './fault.js';
export * from './flow.js';
export * from './flow-tracker.js';
export * from './match.js';
export * from './matcher.js';
