/**
 * Traces as pcapng for Wireshark: one interface per side, so that `frame.interface_name == "client"` shows what that end
 * sent and was given. A segment stands on its sender's interface when it came onto the wire, and on the receiver's
 * at each delivery; one that was dropped therefore only on the sender's. Comments carry roles and faults.
 *
 * Blocks and options: draft-ietf-opsawg-pcapng. Written little-endian; reading is left to others.
 */
import type { Nanos } from '../clock/index.js';
import { SIDES, type Side } from '../fault/index.js';
import { option, pcapngBlock, textOption } from './pcapng-block.js';
import type { SegmentEvent, Trace } from './trace.js';
import { ordinal, segmentRemark } from './words.js';

const BLOCK = { sectionHeader: 0x0a0d0d0a, interfaceDescription: 1, enhancedPacket: 6 } as const;
const OPTION = {
  comment: 1,
  shbOs: 3,
  shbApplication: 4,
  ifName: 2,
  ifDescription: 3,
  ifResolution: 9,
  epbFlags: 2,
} as const;
/** LINKTYPE_RAW: the packet begins with its IPv4 or IPv6 header. */
const LINKTYPE_RAW = 101;
/** if_tsresol: stamps are in units of 10^-9 s. */
const NANOSECONDS = 9;
/** epb_flags, bits 0 and 1. */
const INBOUND = 1;
const OUTBOUND = 2;

interface Sighting {
  readonly atNs: Nanos;
  readonly side: Side;
  readonly direction: typeof INBOUND | typeof OUTBOUND;
  readonly packet: Uint8Array;
  readonly comment: string;
}

export function traceToPcapng(trace: Trace): Uint8Array {
  const sightings = trace.events
    .flatMap((event) => (event.kind === 'segment' ? sightingsOf(event, trace) : []))
    .toSorted((a, b) => a.atNs - b.atNs || b.direction - a.direction);
  return concat([
    sectionHeader(trace),
    ...SIDES.map((side) => interfaceDescription(trace, side)),
    ...sightings.map((sighting) => enhancedPacket(sighting, BigInt(trace.startedAtUnixNs))),
  ]);
}

function sightingsOf(event: SegmentEvent, trace: Trace): readonly Sighting[] {
  const remark = segmentRemark(event, trace);
  const { deliveries, packet } = event;
  const arrived = deliveries.map((delivery, i): Sighting => {
    const nth = deliveries.length > 1 ? `${ordinal(i + 1)} of ${deliveries.length} deliveries` : '';
    return {
      atNs: delivery.atNs,
      side: delivery.to,
      direction: INBOUND,
      packet: delivery.packet ?? packet,
      comment: [remark, nth].filter((text) => text !== '').join(', '),
    };
  });
  // What the harness itself put onto the wire never left an end.
  if (event.origin === 'fault' || event.origin === 'user') return arrived;
  const sent = { atNs: event.atNs, side: event.from, direction: OUTBOUND, packet, comment: remark } as const;
  return [sent, ...arrived];
}

function sectionHeader(trace: Trace): Uint8Array {
  const stacks = trace.endpoints.map(({ side, stack, ip }) => `${side} ${stack} at ${ip}`).join(', ');
  const body = new DataView(new ArrayBuffer(16));
  body.setUint32(0, 0x1a2b3c4d, true); // byte-order magic
  body.setUint16(4, 1, true); // version 1.0
  body.setUint16(6, 0, true);
  body.setBigInt64(8, -1n, true); // section length: not given
  return pcapngBlock(BLOCK.sectionHeader, body, [
    textOption(OPTION.comment, `${trace.scenario} in lab ${trace.lab}: ${stacks}`),
    textOption(OPTION.shbOs, [...new Set(trace.endpoints.map(({ stack }) => stack))].join(', ')),
    textOption(OPTION.shbApplication, 'lastack'),
  ]);
}

function interfaceDescription(trace: Trace, side: Side): Uint8Array {
  const end = trace.endpoints.find((endpoint) => endpoint.side === side);
  const body = new DataView(new ArrayBuffer(8));
  body.setUint16(0, LINKTYPE_RAW, true);
  body.setUint32(4, 0, true); // snap length: no limit
  const description = `what the ${side} sent and was given${end === undefined ? '' : `: ${end.stack} at ${end.ip}`}`;
  return pcapngBlock(BLOCK.interfaceDescription, body, [
    textOption(OPTION.ifName, side),
    textOption(OPTION.ifDescription, description),
    option(OPTION.ifResolution, Uint8Array.of(NANOSECONDS)),
  ]);
}

function enhancedPacket(
  { atNs, side, direction, packet, comment }: Sighting,
  startUnixNs: bigint,
): Uint8Array {
  const stamp = startUnixNs + BigInt(Math.round(atNs));
  const body = new DataView(new ArrayBuffer(20 + Math.ceil(packet.length / 4) * 4));
  body.setUint32(0, SIDES.indexOf(side), true);
  body.setUint32(4, Number(stamp >> 32n), true);
  body.setUint32(8, Number(stamp & 0xffff_ffffn), true);
  body.setUint32(12, packet.length, true);
  body.setUint32(16, packet.length, true);
  new Uint8Array(body.buffer).set(packet, 20);
  const flags = new DataView(new ArrayBuffer(4));
  flags.setUint32(0, direction, true);
  return pcapngBlock(BLOCK.enhancedPacket, body, [
    ...(comment === '' ? [] : [textOption(OPTION.comment, comment)]),
    option(OPTION.epbFlags, new Uint8Array(flags.buffer)),
  ]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
