export { agentBinary } from './agent-binary.js';
export { bootGuests, explained, nextPhase, PHASE_NS } from './boot.js';
export { type Card, GUEST_EPOCH_UNIX_NS, Guest, type GuestOptions } from './guest.js';
export { GUEST_MTU, USUAL_MTU } from './guest-card.js';
export type { GuestRun } from './guest-clock.js';
export { GuestDied, IS_GONE } from './guest-died.js';
export { initramfsFile, packInitramfs } from './initramfs.js';
export { contentName } from './kept-file.js';
export * from './kernel/index.js';
