export * from './conformance.js';
export * from './session.js';
