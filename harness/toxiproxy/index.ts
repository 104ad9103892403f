export * from './client.js';
export type { ApiOptions } from './http-api.js';
export { nodeClient, type Toxiproxy } from './node-client.js';
export {
  findToxiproxyServer,
  type ServerProgram,
  TOXIPROXY_VERSION,
  type ToxiproxyCapability,
  toxiproxyCapability,
  toxiproxyServer,
} from './server-binary.js';
export { buildServer, moduleOf } from './server-build.js';
export * from './server-process.js';
export { type Down, nameOf, readToxic, type Stream, type StreamToxic, type Toxic } from './toxic.js';
export type { ToxicKind } from './toxic-kinds.js';
export * from './toxic-line.js';
export * from './toxiproxy-error.js';
