export { agentBinary } from './agent-binary.js';
export { bootGuests, nextPhase, PHASE_NS } from './boot.js';
export { type Card, GUEST_EPOCH_UNIX_NS, GUEST_MTU, Guest, type GuestOptions, USUAL_MTU } from './guest.js';
export { GuestDied } from './guest-died.js';
export { initramfsFile, packInitramfs } from './initramfs.js';
export * from './kernel/index.js';
