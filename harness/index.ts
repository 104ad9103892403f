/**
 * lastack for programs and suites: build a lab, play a scenario, judge its trace. The command line is above this door,
 * and what is not exported here may change without notice.
 */
export * from './check/index.js';
export * from './clock/index.js';
export { EngineError, type EngineErrorKind } from './docker/index.js';
export * from './endpoint/index.js';
export * from './fault/index.js';
export * from './lab/index.js';
export * from './mocha/index.js';
export * from './observe/index.js';
export * from './report/index.js';
export * from './run/index.js';
export * from './segment/index.js';
export * from './spec/index.js';
export * from './toxiproxy/index.js';
export * from './trace/index.js';
export { findKernel, installedKernels, isUpToDate, type Kernel, KernelUnavailable } from './uml/index.js';
export * from './wire/index.js';
