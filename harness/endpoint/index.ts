export * from './call-record.js';
export * from './endpoint.js';
export * from './kernel/kernel-endpoint.js';
export * from './peer-port.js';
export * from './tcp-info.js';
export * from './tcp-state.js';
