/** A door of its own: who starts the own TCP in a namespace waits for it, and it needs little of what labs load. */
export { LabUnavailable } from '../netns/explain.js';
export { OwnBox } from './own-box.js';
export { type ServeOwnStackOptions, serveOwnStack } from './serve-own-stack.js';
