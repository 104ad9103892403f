export * from './conformance.js';
export * from './session.js';
export * from './via-conformance.js';
