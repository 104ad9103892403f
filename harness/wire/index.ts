export * from './record.js';
export * from './wire-control.js';
