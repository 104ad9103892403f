import { expect } from 'chai';
import { decodeFrame } from './ethernet.js';
import { FrameChannel } from './frame-channel.js';

describe('the channel of frames', () => {
  it('cuts what is long into frames and puts it together again, in order', () => {
    const frames: Uint8Array[] = [];
    const sender = new FrameChannel((frame) => frames.push(frame));
    const octets = Uint8Array.from({ length: 40_000 }, (_, i) => i % 251);
    sender.send(octets);
    expect(frames.length).to.equal(3);
    const received: number[] = [];
    const receiver = new FrameChannel(() => {});
    receiver.onOctets((piece) => received.push(...piece));
    for (const frame of frames) receiver.take(frame);
    expect(Uint8Array.from(received)).to.deep.equal(octets);
  });

  it('leaves the padding of a short frame out', () => {
    const frames: Uint8Array[] = [];
    new FrameChannel((frame) => frames.push(frame)).send(Uint8Array.of(1, 2, 3));
    const padded = new Uint8Array(60);
    padded.set(frames[0] ?? []);
    const received: Uint8Array[] = [];
    const receiver = new FrameChannel(() => {});
    receiver.onOctets((piece) => received.push(piece));
    receiver.take(padded);
    expect(received).to.deep.equal([Uint8Array.of(1, 2, 3)]);
  });

  it('takes nothing but its own frames', () => {
    const receiver = new FrameChannel(() => {});
    receiver.onOctets(() => expect.fail('nothing was sent'));
    receiver.take(new Uint8Array(60));
    receiver.take(new Uint8Array(4));
    expect(decodeFrame(new Uint8Array(4))).to.equal(undefined);
  });

  it('says once that it has ended', () => {
    const reasons: string[] = [];
    const channel = new FrameChannel(() => {});
    channel.onEnd((reason) => reasons.push(reason));
    channel.end('the guest is gone');
    channel.close();
    expect(reasons).to.deep.equal(['the guest is gone']);
  });
});
