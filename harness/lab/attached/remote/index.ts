export { RemoteWire, type WireProcess } from './remote-wire.js';
export { serveWire, type WireProcessOptions } from './wire-process.js';
