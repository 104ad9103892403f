import { expect } from 'chai';
import { Demultiplexer, STREAM } from './demultiplexer.js';

function piece(stream: number, text: string): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

describe('the two outputs of a container', () => {
  const whole = Buffer.concat([
    piece(STREAM.stdout, 'one '),
    piece(STREAM.stderr, 'wrong'),
    piece(STREAM.stdout, ''),
    piece(STREAM.stdout, 'two'),
  ]);

  for (const size of [1, 3, 8, 11, whole.length])
    it(`are told apart in chunks of ${size} octets`, () => {
      const demultiplexer = new Demultiplexer();
      const said: Record<number, string> = {};
      for (let at = 0; at < whole.length; at += size)
        for (const { stream, octets } of demultiplexer.pieces(whole.subarray(at, at + size)))
          said[stream] = (said[stream] ?? '') + octets.toString();
      expect(said).to.deep.equal({ [STREAM.stdout]: 'one two', [STREAM.stderr]: 'wrong' });
    });
});
