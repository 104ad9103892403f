export { BuildError } from './build-error.js';
export { cacheFolder } from './cache.js';
export { findKernel, installedKernels, isUpToDate, type Kernel, KernelUnavailable } from './kernel.js';
