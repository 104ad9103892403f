export { Liveness } from './liveness.js';
export { Net, type NetConnectOptions } from './net.js';
export { type StackListenOptions, StackServer, type StackServerOptions } from './stack-server.js';
export { type SocketAddressInfo, StackSocket, type StackSocketOptions } from './stack-socket.js';
export type { SystemError } from './system-error.js';
