export { type OnPacket, PacketRing, type RingSize, SLOT_OVERHEAD_OCTETS } from './packet-ring.js';
export { type OnSendFailure, PacketSender } from './packet-sender.js';
export { StampAlignment } from './stamp-alignment.js';
