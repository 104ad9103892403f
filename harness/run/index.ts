export * from './play-in-lab.js';
export * from './record.js';
export * from './run-scenario.js';
export * from './scenario.js';
export { type PoolOptions, ScenarioPool } from './scenario-pool.js';
export * from './scheduler.js';
export * from './selection.js';
export * from './stage.js';
export * from './where.js';
