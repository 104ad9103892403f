/** Docker engines, the images that lastack has for them, and what it makes in them. */
export * from './engine/index.js';
export * from './images/index.js';
