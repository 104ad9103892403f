export { HeldPackets, type HeldPacketsOptions } from './held-packets.js';
export { PacketQueue } from './packet-queue.js';
export { sideOfPacket } from './ports.js';
export type { QueuedPacket } from './queue-messages.js';
export {
  addRules,
  mayOverlap,
  OWN_MARK,
  type OwnedRule,
  ownedRules,
  portOf,
  type QueuedSegments,
  type RuleOwner,
  removeRules,
  ruleCount,
  ruleTag,
} from './queue-rules.js';
export { RawSender } from './raw-sender.js';
