export { type SourceAtHand, sourcesAtHand } from './at-hand.js';
export { BuildError } from './build-error.js';
export { type BuiltKernel, buildKernel, type KernelRequest } from './build-kernel.js';
export { cacheFolder, kernelsFolder } from './cache.js';
export { findKernel, installedKernels, isUpToDate, type Kernel, KernelUnavailable } from './kernel.js';
export { namesOnShelf, takeFromShelf } from './shelf.js';
export type { OnStep, Step } from './steps.js';
export { checkTools } from './tools.js';
export { fits, parseVersion, type WantedVersion } from './version.js';
