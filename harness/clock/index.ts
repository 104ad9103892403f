export * from './clock.js';
export * from './duration.js';
export * from './real-clock.js';
export * from './timeline.js';
export * from './timer-queue.js';
