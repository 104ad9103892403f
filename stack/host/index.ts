export * from './stack-options.js';
export { TcpListener } from './tcp-listener.js';
export type { SocketHost } from './tcp-socket.js';
export { TcpSocket } from './tcp-socket.js';
export * from './tcp-stack.js';
