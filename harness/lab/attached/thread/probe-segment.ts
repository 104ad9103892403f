/** A segment that tests whether rules and queue work: from the namespace to itself over its loopback, and known by its form. */
import { encode, makeSegment } from '../../../segment/index.js';

const LOOPBACK_IP = '127.0.0.1';
/** No stack sends a segment without any flag, and none would answer one that is lost again in the queue. */
const FLAGS = 0;
const SEQ = 0x6c_61_73_74;

export const probeSegment = (port: number): Uint8Array =>
  encode(
    makeSegment({
      src: LOOPBACK_IP,
      dst: LOOPBACK_IP,
      srcPort: port,
      dstPort: port,
      flags: FLAGS,
      seq: SEQ,
      window: 0,
    }),
  );

/** Whether it is that, whatever the kernel has filled into its IP header. */
export function isProbe(packet: Uint8Array, probe: Uint8Array): boolean {
  if (packet.length !== probe.length) return false;
  return packet.subarray(12).every((octet, i) => octet === probe[i + 12]);
}
