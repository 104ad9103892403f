export * from './constants.js';
export * from './errno.js';
export * from './libc.js';
export * from './mapped-memory.js';
export * from './monotonic.js';
export * from './namespace.js';
export * from './netlink.js';
export * from './sockaddr.js';
