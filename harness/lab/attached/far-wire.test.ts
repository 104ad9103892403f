/** A wire that has the namespace of one stack only: the other is on another machine, where no hook of ours is. */
import { expect } from 'chai';
import { data, delay, drop, duplicate, finalAck, handshakeAck, type Side } from '../../fault/index.js';
import { decode, flagsText } from '../../segment/index.js';
import type { SegmentRecord } from '../../wire/index.js';
import { needsAttach } from './attached.fixture.js';
import { countRules } from './namespace-rules.js';
import { carries, withPairedWire } from './paired.fixture.js';

function lineOf({ packet, from, hook }: SegmentRecord): string {
  const decoded = decode(packet);
  if (decoded.kind !== 'segment') throw new Error(`not a segment: ${decoded.kind}`);
  return `${from} ${flagsText(decoded.segment.flags)} at ${hook}`;
}

const dataOf = (segments: readonly SegmentRecord[], from: Side): readonly SegmentRecord[] =>
  segments.filter((record) => record.from === from && record.facts?.roles.includes('data'));

const marksOf = ({ faults }: SegmentRecord): readonly string[] => faults.map(({ what }) => what);

const FAR = { far: 'client' } as const;

describe('a wire with a stack on another machine', () => {
  before(needsAttach);

  for (const [ipVersion, isTracked] of [
    [4, true],
    [6, false],
  ] as const)
    it(`has each segment once, where the near one sends it and has it, with IPv${ipVersion}`, async () => {
      const options = { ...FAR, ipVersion, isTracked };
      await withPairedWire(
        [],
        async ({ ends, wire }) => {
          await ends.connected();
          await wire.wire.sees(handshakeAck(), { delivered: true });
          const { segments } = await wire.recording();
          expect(segments.map(lineOf)).to.deep.equal([
            'client SYN at input',
            'server SYN,ACK at output',
            'client ACK at input',
          ]);
          expect(countRules(ends.namespace('client'))).to.equal(0);
        },
        options,
      );
    });

  it('sees the states of the near stack', async () => {
    await withPairedWire(
      [],
      async ({ ends, wire }) => {
        const { client, server } = await ends.connected();
        await client.close();
        await server.receive();
        await server.close();
        await wire.wire.sees(finalAck(), { delivered: true });
        const { transitions } = await wire.recording();
        expect(new Set(transitions.map(({ side }) => side))).to.deep.equal(new Set(['server']));
        expect(transitions.map(({ to }) => to)).to.include.members(['ESTABLISHED', 'LAST-ACK', 'CLOSED']);
      },
      FAR,
    );
  });

  for (const [from, mark] of [
    ['client', 'dropped'],
    ['server', "dropped at the sender's output"],
  ] as const)
    it(`drops what the ${from} sends, which sends it again: ${mark}`, async () => {
      await withPairedWire(
        [drop(data().from(from).first())],
        async ({ ends, wire }) => {
          expect(await carries(await ends.connected(), from, 'hello')).to.equal('hello');
          const sent = dataOf((await wire.recording()).segments, from);
          expect(sent.map(marksOf)).to.deep.equal([[mark], []]);
        },
        FAR,
      );
    });

  for (const from of ['client', 'server'] as const)
    it(`delays and doubles what the ${from} sends`, async () => {
      await withPairedWire(
        [delay(data().from(from).first(), { byMs: 50 }), duplicate(data().from(from).ordinal(2))],
        async ({ ends, wire }) => {
          const connected = await ends.connected();
          expect(await carries(connected, from, 'hello')).to.equal('hello');
          expect(await carries(connected, from, 'again')).to.equal('again');
          await wire.wire.quiet({ forMs: 100, withinMs: 5000 });
          const [late, double] = dataOf((await wire.recording()).segments, from);
          expect((late?.deliveries[0]?.atNs ?? 0) - (late?.atNs ?? 0)).to.be.at.least(50_000_000);
          expect(double?.deliveries).to.have.lengthOf(2);
        },
        FAR,
      );
    });
});
