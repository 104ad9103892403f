/** A segment that tests whether rules and queue work: the namespace sends it to its own hook, where it is known by its form. */
import { encode, makeSegment } from '../../../segment/index.js';
import { type Intake, queuedSegments } from '../intake.js';

const LOOPBACK_IP = '127.0.0.1';
const SEQ = 0x6c_61_73_74;
/** The discard service: nobody listens there, and a reset from there means nothing to anybody. */
const [DISCARD, ECHO] = [9, 7];

/** A SYN: what else begins nothing, firewalls that follow connections like to drop as invalid. */
export function probeSegment(intake: Intake): Uint8Array {
  const segments = queuedSegments(intake);
  const { src, dst, port } =
    segments.kind === 'port'
      ? { src: LOOPBACK_IP, dst: LOOPBACK_IP, port: segments.port }
      : { src: segments.source, dst: segments.destination, port: segments.ports[0] ?? DISCARD };
  const dstPort = port === DISCARD ? ECHO : DISCARD;
  return encode(makeSegment({ src, dst, srcPort: port, dstPort, flags: 'SYN', seq: SEQ, window: 0 }));
}

/** Whether it is that, whatever the kernel has filled into its IP header. */
export function isProbe(packet: Uint8Array, probe: Uint8Array): boolean {
  if (packet.length !== probe.length) return false;
  return packet.subarray(12).every((octet, i) => octet === probe[i + 12]);
}
