export * from './requirement.js';
export * from './states.js';
