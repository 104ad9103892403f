import { expect } from 'chai';
import fc from 'fast-check';
import { fromHex, toHex } from './hex.js';
import { ipBytes, ipVersion, ipv4Bytes, ipv4Text, ipv6Bytes, ipv6Text } from './ip-address.js';

// [text in any form, octets, RFC 5952 text]
const V6: readonly [string, string, string][] = [
  ['::', '00000000000000000000000000000000', '::'],
  ['::1', '00000000000000000000000000000001', '::1'],
  ['1::', '00010000000000000000000000000000', '1::'],
  ['2001:DB8:0:0:0:0:0:1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '20010000000000010000000000000001', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['0:0:1:2:3:4:0:0', '00000000000100020003000400000000', '::1:2:3:4:0:0'],
  ['1:2:3:4:5:6:0:0', '00010002000300040005000600000000', '1:2:3:4:5:6::'],
  ['1:2:3:4:5:6:7::', '00010002000300040005000600070000', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '00000002000300040005000600070008', '0:2:3:4:5:6:7:8'],
  ['fe80::0abc', 'fe800000000000000000000000000abc', 'fe80::abc'],
  ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
  ['::ffff:c000:201', '00000000000000000000ffffc0000201', '::ffff:192.0.2.1'],
  ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221', '64:ff9b::c000:221'],
  ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304', '1:2:3:4:5:6:102:304'],
  ['::1.2.3.4', '00000000000000000000000001020304', '::102:304'],
];
const NO_V6 = [
  '',
  ':',
  ':::',
  '1',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  ':1::2',
  '1::2:',
  'g::',
  '12345::',
  '1:2:3:4:5:6:7:8::',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:5',
  '::256.0.0.1',
  'fe80::1%eth0',
  '[::1]',
  ' ::1',
  '1.2.3.4',
];
const NO_V4 = [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '1.2.3.',
  '01.2.3.4',
  '1.2.3.4 ',
  '0x1.2.3.4',
  '1.2.3.-4',
  '::1',
];

describe('IPv6 addresses', () => {
  for (const [text, octets, canonical] of V6) {
    it(`reads ${text} and writes ${canonical}`, () => {
      expect(toHex(ipv6Bytes(text))).to.equal(octets);
      expect(ipv6Text(fromHex(octets))).to.equal(canonical);
      expect(ipVersion(text)).to.equal(6);
    });
  }

  for (const text of NO_V6) {
    it(`refuses "${text}" by name`, () => {
      expect(() => ipv6Bytes(text)).to.throw(RangeError, `"${text}" is no IPv6 address`);
    });
  }

  it('writes what the URL standard writes, and reads it back', () => {
    const octet = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.array(octet, { minLength: 16, maxLength: 16 }),
        (any, many) => {
          for (const bytes of [any, Uint8Array.from(many)]) {
            const text = ipv6Text(bytes);
            expect(ipv6Bytes(text)).to.deep.equal(bytes);
            // The URL standard knows no dotted quads in its output, so the mapped form is compared by octets alone.
            if (!text.includes('.')) expect(new URL(`http://[${text}]`).hostname).to.equal(`[${text}]`);
          }
        },
      ),
    );
  });

  it('reads every form that people write', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const expected = new URL(`http://[${text}]`).hostname;
        expect(new URL(`http://[${ipv6Text(ipv6Bytes(text))}]`).hostname).to.equal(expected);
      }),
    );
  });

  it('writes the address that stands inside a packet', () => {
    expect(ipv6Text(fromHex('ffff 20010db8000000000000000000000001'), 2)).to.equal('2001:db8::1');
  });
});

describe('IPv4 addresses', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(ipv4Text(ipv4Bytes(text))).to.equal(text);
        expect(ipVersion(text)).to.equal(4);
      }),
    );
  });

  for (const text of NO_V4) {
    it(`refuses "${text}" by name`, () => {
      expect(() => ipv4Bytes(text)).to.throw(RangeError, `"${text}" is no IPv4 address`);
    });
  }
});

describe('an address of either version', () => {
  it('has 4 or 16 octets', () => {
    expect(ipBytes('192.0.2.1')).to.deep.equal(fromHex('c0000201'));
    expect(ipBytes('::1')).to.have.length(16);
  });

  it('is refused by name when it is neither', () => {
    expect(() => ipBytes('localhost')).to.throw(
      RangeError,
      '"localhost" is no IP address: write one such as',
    );
    expect(ipVersion('localhost')).to.equal(undefined);
    expect(ipVersion('fe80::1%eth0')).to.equal(undefined);
  });
});
