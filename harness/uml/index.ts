export { agentBinary } from './agent-binary.js';
export { initramfsFile, packInitramfs } from './initramfs.js';
export * from './kernel/index.js';
