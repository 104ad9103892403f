export * from './device/index.js';
export * from './host/index.js';
export * from './net/index.js';
export * from './tcp/index.js';
