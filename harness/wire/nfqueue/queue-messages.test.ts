import { expect } from 'chai';
import { requestMessage } from '../../sys/index.js';
import { openRequests, readQueueMessage, verdictMessage } from './queue-messages.js';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** As the kernel sends one: a header, then attributes in any order. */
const packetMessage = (hook: string, ...attributes: readonly string[]): Uint8Array => {
  const body = octets(`02000001 0b000100 00000007 0800 ${hook}00 ${attributes.join('')}`);
  const message = new Uint8Array(16 + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, 0x0300, true);
  message.set(body, 16);
  return message;
};
const PAYLOAD = '07000a00 450001 00';

describe('messages of the packet queue', () => {
  it('asks for a queue, for whole packets, and that what finds no room may pass', () => {
    const [bind, parameters, flags] = openRequests(0x1234, 0x100000).map((request) =>
      hex(requestMessage(request, 1).subarray(16)),
    );
    expect(bind).to.equal(hex(octets('00001234 08000100 01000000')));
    expect(parameters).to.equal(hex(octets('00001234 09000200 0000ffff 02000000 08000300 00100000')));
    expect(flags).to.equal(hex(octets('00001234 08000400 00000005 08000500 00000001')));
  });

  it('reads a packet at an input hook', () => {
    const message = readQueueMessage(packetMessage('01', PAYLOAD));
    expect(message).to.deep.equal({
      kind: 'packet',
      packet: { id: 7, hook: 'input', isLoopback: false, isWhole: true, packet: octets('450001') },
    });
  });

  it('reads a packet at an output hook', () => {
    const message = readQueueMessage(packetMessage('03', PAYLOAD));
    expect(message).to.have.nested.property('packet.hook', 'output');
  });

  it('knows the loopback by its index, and another link', () => {
    const from = (index: string) => readQueueMessage(packetMessage('01', `08000500 ${index}`, PAYLOAD));
    expect(from('00000001')).to.have.nested.property('packet.isLoopback', true);
    expect(from('00000002')).to.have.nested.property('packet.isLoopback', false);
  });

  it('reads the stamp, whose fraction is in microseconds', () => {
    const stamp = '14000400 0000000065000000 0000000000000009';
    expect(readQueueMessage(packetMessage('01', stamp, PAYLOAD)))
      .to.have.nested.property('packet.stamp')
      .that.deep.equals({ unixSec: 0x65000000, nsec: 9000 });
  });

  it('makes up with zeros for what the kernel has cut off, and says so', () => {
    const message = readQueueMessage(packetMessage('01', '08000d00 00000005', PAYLOAD));
    expect(message)
      .to.have.property('packet')
      .that.deep.includes({ isWhole: false, packet: octets('4500010000') });
  });

  it('reads why a verdict was refused', () => {
    const message = octets('24000000 0200 0000 00000000 00000000 feffffff 00000000000000000000000000000000');
    expect(readQueueMessage(message)).to.deep.equal({ kind: 'error', errno: 2 });
  });

  it('says a verdict, alone or with the octets that go on instead', () => {
    const accept = verdictMessage({ queue: 0x1234, id: 7, verdict: 'accept' });
    expect(hex(accept.subarray(16))).to.equal(hex(octets('00001234 0c000200 00000001 00000007')));
    const changed = verdictMessage({ queue: 1, id: 7, verdict: 'accept', packet: octets('450001') });
    expect(hex(changed.subarray(32))).to.equal(hex(octets('07000a00 45000100')));
    const drop = verdictMessage({ queue: 1, id: 7, verdict: 'drop' });
    expect(hex(drop.subarray(24, 28))).to.equal('00000000');
  });
});
