export * from './host/index.js';
export * from './tcp/index.js';
