/** What the wire thinks about each segment: reading it, finding its part in the connection, and asking the fault plan. */
import { type Clock, RealClock } from '../harness/clock/index.js';
import { delay, drop, type Fault, fin, finalAck, type Side, synAck } from '../harness/fault/index.js';
import { decode, encode, makeSegment } from '../harness/segment/index.js';
import { monotonicNs } from '../harness/sys/index.js';
import { Wire } from '../harness/wire/index.js';
import type { Figure } from './figure.js';
import { median, nowNs } from './statistics.js';

const SEGMENTS = 20_000;
const ROUNDS = 9;
const PLAN: readonly Fault[] = [
  drop(finalAck().first()),
  delay(fin().from('server').copy(2), { byMs: 300 }),
  drop(synAck().everyCopy()),
];

export function segmentCost(): Figure[] {
  const clock = new RealClock(monotonicNs());
  const small = conversation(1);
  const large = conversation(1448);
  const row = (name: string, measure: () => number): Figure => ({
    name,
    value: `${median(Array.from({ length: ROUNDS }, measure)).toFixed(0)} ns`,
  });
  return [
    row('decode a segment of 1 octet', () => costOfDecode(small)),
    row('decode a segment of 1448 octets, checksum included', () => costOfDecode(large)),
    row('the wire: decode, track and record a segment', () => costOfWire(small, [], clock)),
    row('  and with a plan of three faults', () => costOfWire(small, PLAN, clock)),
  ];
}

interface Sent {
  readonly from: Side;
  readonly packet: Uint8Array;
}

function conversation(octets: number): readonly Sent[] {
  const payload = new Uint8Array(octets);
  const sent: Sent[] = [];
  const say = (from: Side, flags: string, seq: number, ack: number, data = new Uint8Array(0)): void => {
    const ports = from === 'client' ? { srcPort: 40000, dstPort: 80 } : { srcPort: 80, dstPort: 40000 };
    sent.push({ from, packet: encode(makeSegment({ ...ports, flags, seq, ack, payload: data })) });
  };
  say('client', 'SYN', 0, 0);
  say('server', 'SYN,ACK', 0, 1);
  say('client', 'ACK', 1, 1);
  for (let i = 0; sent.length < SEGMENTS; i += 1) {
    say('client', 'PSH,ACK', 1 + i * octets, 1 + i * octets, payload);
    say('server', 'PSH,ACK', 1 + i * octets, 1 + (i + 1) * octets, payload);
  }
  return sent;
}

function costOfDecode(sent: readonly Sent[]): number {
  const beginNs = nowNs();
  for (const { packet } of sent) decode(packet);
  return (nowNs() - beginNs) / sent.length;
}

function costOfWire(sent: readonly Sent[], faults: readonly Fault[], clock: Clock): number {
  const nowhere = { send: (): void => {} };
  const wire = new Wire({
    clock,
    carriers: { client: nowhere, server: nowhere },
    recorder: { arrived: () => {}, delivered: () => {}, updated: () => {} },
    faults,
  });
  const beginNs = nowNs();
  for (const { from, packet } of sent) wire.arrive(from, packet, beginNs);
  wire.close();
  return (nowNs() - beginNs) / sent.length;
}
