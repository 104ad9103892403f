/** Docker engines and what lastack has in them. */
export * from './engine/index.js';
