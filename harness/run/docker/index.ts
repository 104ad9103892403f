export type { ContainerRef } from './container-place.js';
export type { ContainerWire } from './container-wire.js';
export { type AttachToOptions, type BetweenOptions, docker, type ToxiproxyOptions } from './docker.js';
export type { Service, ServiceOptions } from './service.js';
