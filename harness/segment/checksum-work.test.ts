import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { decode, encode, finishChecksum, makeSegment, pseudoHeaderSum, wordSum } from './index.js';

const VERSIONS = [
  { src: '192.0.2.1', dst: '192.0.2.2', headerOctets: 20 },
  { src: '2001:db8::1', dst: '2001:db8::2', headerOctets: 40 },
] as const;

const make = ({ src, dst }: { readonly src: string; readonly dst: string }) =>
  makeSegment({ src, dst, payload: 'some data', options: [{ kind: 'windowScale', shift: 7 }] });

describe('A packet whose checksum somebody else completes', () => {
  for (const version of VERSIONS) {
    const { src, headerOctets } = version;

    it(`holds the sum of the pseudo header in its place (${src})`, () => {
      const packet = encode(make(version), { checksums: 'partial' });
      const view = new DataView(packet.buffer);
      const at = headerOctets + 16;
      const octets = packet.length - headerOctets;
      const pseudo = pseudoHeaderSum(view, headerOctets === 20 ? 4 : 6, octets);
      equal(view.getUint16(at), ~finishChecksum(pseudo) & 0xffff);
      // What a card does: the sum over the segment, that field included.
      view.setUint16(at, finishChecksum(wordSum(view, headerOctets, packet.length)));
      deepEqual(packet, encode(make(version)));
    });

    it(`is taken for right where its bringer is trusted (${src})`, () => {
      const packet = encode(make(version), { checksums: 'partial' });
      const verified = decode(packet);
      const trusted = decode(packet, { checksums: 'trust' });
      ok(verified.kind === 'segment' && !verified.checksumOk.tcp);
      ok(trusted.kind === 'segment' && trusted.checksumOk.tcp);
    });

    it(`is the same in memory that held something else (${src})`, () => {
      const into = new Uint8Array(200).fill(0xa5);
      deepEqual(Buffer.from(encode(make(version), { into })), Buffer.from(encode(make(version))));
    });
  }

  it('does not fit where there is no room', () => {
    throws(
      () => encode(make(VERSIONS[0]), { into: new Uint8Array(40) }),
      /53 octets and there is room for 40/,
    );
  });
});

describe('The texts of addresses', () => {
  it('are right whatever came before', () => {
    for (let i = 0; i < 5000; i += 1) {
      const src = `10.${i & 255}.${(i * 7) & 255}.${(i >> 3) & 255}`;
      const src6 = `2001:db8::${(i + 1).toString(16)}`;
      for (const [from, to] of [
        [src, '192.0.2.2'],
        [src6, '2001:db8::2'],
      ] as const) {
        const decoded = decode(encode(makeSegment({ src: from, dst: to })));
        ok(decoded.kind === 'segment');
        equal(decoded.segment.ip.src, from);
      }
    }
  });
});
