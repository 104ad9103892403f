/** Numbers of linux/if_packet.h and linux/if_ether.h that the packet carrier needs. */
export const SOL_PACKET = 263;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_VERSION = 10;
export const PACKET_QDISC_BYPASS = 20;
export const PACKET_IGNORE_OUTGOING = 23;
export const TPACKET_V2 = 1;
export const TP_STATUS_KERNEL = 0;
export const TP_STATUS_USER = 1;
export const ETH_P_ALL = 0x0003;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
export const SO_TIMESTAMPNS = 35;

/** Number in network byte order, as `sll_protocol` and the protocol argument of socket(2) want it. */
export const htons = (n: number): number => ((n & 0xff) << 8) | (n >> 8);
