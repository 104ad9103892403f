/**
 * A TCP segment with its IP envelope, as plain data. What is here was on the wire: nothing is scaled,
 * corrected or interpreted. `decode` and `encode` turn it from and into bytes.
 */
import type { SeqNumber } from './sequence.js';

export interface Ipv4Header {
  readonly version: 4;
  /** Dotted quad. */
  readonly src: string;
  readonly dst: string;
  readonly ttl: number;
  /** The former TOS octet: DSCP and ECN. */
  readonly trafficClass: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  /** The bit before DF, which must be zero; absent when it is. */
  readonly reservedFlag?: true;
  /** The header checksum as carried, right or wrong. `encode` fills it in when absent. */
  readonly checksum?: number;
  /** IPv4 options as they stand in the header, padding included. */
  readonly options: Uint8Array;
}

export interface Ipv6Header {
  readonly version: 6;
  /** RFC 5952 text. */
  readonly src: string;
  readonly dst: string;
  /** The hop limit. */
  readonly ttl: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  /** Extension headers between the IPv6 and the TCP header, as they stand; empty as a rule. */
  readonly extensions: Uint8Array;
  /** Next Header value of the IPv6 header (6 unless there are extension headers). */
  readonly nextHeader: number;
}

export type IpHeader = Ipv4Header | Ipv6Header;

/**
 * The control bits as one number; see `FLAG` for the bits, `flagsText` and `parseFlags` for text. The three
 * reserved bits (0x200, 0x400, 0x800), which have no names and should be zero, are kept here as well.
 */
export type Flags = number;

/** RFC 9293 section 3.1; AE is bit 7 of octet 12 (RFC 9768). */
export const FLAG = {
  FIN: 0x001,
  SYN: 0x002,
  RST: 0x004,
  PSH: 0x008,
  ACK: 0x010,
  URG: 0x020,
  ECE: 0x040,
  CWR: 0x080,
  AE: 0x100,
} as const;

export type FlagName = keyof typeof FLAG;

export type TcpOption =
  /** `padding`: the octets behind it up to the data offset; absent when they are the zeros that fill a word. */
  | { readonly kind: 'eol'; readonly padding?: Uint8Array }
  | { readonly kind: 'nop' }
  | { readonly kind: 'mss'; readonly mss: number }
  | { readonly kind: 'windowScale'; readonly shift: number }
  | { readonly kind: 'sackPermitted' }
  | { readonly kind: 'sack'; readonly blocks: readonly SackBlock[] }
  | { readonly kind: 'timestamps'; readonly tsVal: number; readonly tsEcr: number }
  | { readonly kind: 'fastOpen'; readonly cookie: Uint8Array }
  | { readonly kind: 'userTimeout'; readonly granularity: 'seconds' | 'minutes'; readonly timeout: number }
  | { readonly kind: 'md5'; readonly digest: Uint8Array }
  | { readonly kind: 'ao'; readonly data: Uint8Array }
  /** `problem`: what is wrong with it when the kind is known and only the length is not the kind's. */
  | {
      readonly kind: 'unknown';
      readonly number: number;
      readonly data: Uint8Array;
      readonly problem?: string;
    };

export type OptionKind = TcpOption['kind'];

export interface SackBlock {
  readonly left: SeqNumber;
  readonly right: SeqNumber;
}

export interface Segment {
  readonly ip: IpHeader;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: SeqNumber;
  /** The acknowledgment field, also when the ACK bit is off. */
  readonly ack: SeqNumber;
  readonly flags: Flags;
  /** SEG.WND as carried, unscaled. */
  readonly window: number;
  /** The checksum as carried, right or wrong. */
  readonly checksum: number;
  readonly urgentPointer: number;
  /** The options in their order, NOP and EOL included. */
  readonly options: readonly TcpOption[];
  /** Present when the options could not be read to their end; `options` has those before the bad one. */
  readonly optionsProblem?: OptionsProblem;
  readonly payload: Uint8Array;
}

/** What is wrong with a packet, and where. */
export interface Problem {
  readonly layer: 'ip' | 'tcp' | 'option';
  /** Octet offset in the packet: of the field that is wrong, or where a truncated packet ends. */
  readonly at: number;
  readonly what: string;
}

export interface OptionsProblem extends Problem {
  readonly layer: 'option';
  /** The octets from the bad option's kind up to the data offset, as they stand. */
  readonly rest: Uint8Array;
}
