import { expect } from 'chai';
import { finishChecksum, ipBytes, wordSum } from '../../segment/index.js';
import { BROADCAST_MAC, decodeFrame, ETHERTYPE_ARP, ETHERTYPE_IPV6, encodeFrame } from './ethernet.js';
import { isHousekeeping, neighbourAnswer } from './neighbours.js';

const STACK_MAC = Uint8Array.of(2, 0, 0, 0, 1, 1);
const WIRE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xfe);

function arpRequest(from: string, target: string): Uint8Array {
  const payload = new Uint8Array(28);
  payload.set([0, 1, 8, 0, 6, 4, 0, 1]);
  payload.set(STACK_MAC, 8);
  payload.set(ipBytes(from), 14);
  payload.set(ipBytes(target), 24);
  return encodeFrame({ destination: BROADCAST_MAC, source: STACK_MAC, etherType: ETHERTYPE_ARP, payload });
}

function solicitation(from: string, target: string): Uint8Array {
  const packet = new Uint8Array(72);
  packet.set([0x60, 0, 0, 0, 0, 32, 58, 255]);
  packet.set(ipBytes(from), 8);
  packet.set(ipBytes('ff02::1:ff00:2'), 24);
  packet[40] = 135;
  packet.set(ipBytes(target), 48);
  return encodeFrame({
    destination: Uint8Array.of(0x33, 0x33, 0xff, 0, 0, 2),
    source: STACK_MAC,
    etherType: ETHERTYPE_IPV6,
    payload: packet,
  });
}

describe('the neighbour that a stack asks for', () => {
  it('is found by ARP, behind the wire', () => {
    const answer = neighbourAnswer(arpRequest('198.18.0.1', '198.18.0.2'), WIRE_MAC);
    const frame = answer && decodeFrame(answer);
    expect(frame?.destination).to.deep.equal(STACK_MAC);
    expect(frame?.payload[7]).to.equal(2);
    expect(frame?.payload.slice(8, 14)).to.deep.equal(WIRE_MAC);
    expect(frame?.payload.slice(14, 18)).to.deep.equal(ipBytes('198.18.0.2'));
    expect(frame?.payload.slice(18, 24)).to.deep.equal(STACK_MAC);
    expect(frame?.payload.slice(24, 28)).to.deep.equal(ipBytes('198.18.0.1'));
  });

  it('is found by a neighbour solicitation, with a checksum that is right', () => {
    const answer = neighbourAnswer(solicitation('fd00::1', 'fd00::2'), WIRE_MAC);
    const packet = answer && decodeFrame(answer)?.payload;
    if (packet === undefined) throw new Error('no answer');
    expect([packet[6], packet[7], packet[40], packet[44]]).to.deep.equal([58, 255, 136, 0x60]);
    expect(packet.slice(8, 24)).to.deep.equal(ipBytes('fd00::2'));
    expect(packet.slice(24, 40)).to.deep.equal(ipBytes('fd00::1'));
    expect(packet.slice(48, 64)).to.deep.equal(ipBytes('fd00::2'));
    expect(packet.slice(66, 72)).to.deep.equal(WIRE_MAC);
    const view = new DataView(packet.buffer, packet.byteOffset);
    const pseudo = wordSum(view, 8, 40) + 58 + 32;
    expect(finishChecksum(pseudo + wordSum(view, 40, 72))).to.equal(0);
  });

  it('is not where nothing was asked: replies, TCP, and what is cut short', () => {
    const reply = arpRequest('198.18.0.1', '198.18.0.2');
    reply[21] = 2;
    const short = arpRequest('198.18.0.1', '198.18.0.2').slice(0, 30);
    const tcp = solicitation('fd00::1', 'fd00::2');
    tcp[20] = 6;
    for (const frame of [reply, short, tcp, new Uint8Array(3)])
      expect(neighbourAnswer(frame, WIRE_MAC)).to.equal(undefined);
  });
});

describe('housekeeping', () => {
  const packet = (...octets: [number, number][]): Uint8Array => {
    const whole = new Uint8Array(60);
    for (const [at, value] of octets) whole[at] = value;
    return whole;
  };

  it('is membership reports and discovery', () => {
    expect(isHousekeeping(packet([0, 0x45], [9, 2]))).to.equal(true);
    expect(isHousekeeping(packet([0, 0x60], [6, 58], [40, 133]))).to.equal(true);
    expect(isHousekeeping(packet([0, 0x60], [6, 0], [40, 58], [48, 143]))).to.equal(true);
  });

  it('is neither TCP nor an ICMP error: the wire carries those', () => {
    expect(isHousekeeping(packet([0, 0x45], [9, 6]))).to.equal(false);
    expect(isHousekeeping(packet([0, 0x45], [9, 1]))).to.equal(false);
    expect(isHousekeeping(packet([0, 0x60], [6, 6]))).to.equal(false);
    expect(isHousekeeping(packet([0, 0x60], [6, 58], [40, 1]))).to.equal(false);
  });
});
