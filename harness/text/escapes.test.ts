import { expect } from 'chai';
import { octetsOf } from './escapes.js';

describe('text with escapes', () => {
  for (const [text, octets] of [
    ['', ''],
    ['GET / HTTP/1.0\\r\\n\\r\\n', 'GET / HTTP/1.0\r\n\r\n'],
    ['a\\tb\\0c\\\\d', 'a\tb\0c\\d'],
    ['\\\\r', '\\r'],
    ['grüße', 'grüße'],
  ] as const)
    it(`"${text}" is what is meant`, () => {
      expect(Buffer.from(octetsOf(text)).toString('utf8')).to.equal(octets);
    });

  it('has any octet', () => {
    expect([...octetsOf('\\x00a\\xfF\\x7f')]).to.deep.equal([0, 97, 255, 127]);
  });

  for (const text of ['a\\q', 'a\\', '\\x1', '\\xgg'])
    it(`"${text}" is refused with a sentence`, () => {
      expect(() => octetsOf(text)).to.throw(RangeError, /is no escape: there is \\r, /);
    });
});
