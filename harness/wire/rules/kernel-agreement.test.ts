import { expect } from 'chai';
import fc from 'fast-check';
import { type Fault, FlowTracker, type Match, Matcher, matchLine, parseMatch } from '../../fault/index.js';
import { decode, encode, makeSegment, type Segment } from '../../segment/index.js';
import { libc } from '../../sys/index.js';
import { PacketSender } from '../packet/index.js';
import { AppliedRules } from './applied-rules.js';
import { compileRules } from './compile.js';
import { PICKS } from './picks.fixture.js';
import { DIALECTS, type RuleSet } from './rule-set.js';
import { match, option } from './stateless.fixture.js';
import { CLIENT, needs, PORT, SERVER, TwoHosts } from './two-hosts.fixture.js';

/** Options are sound: what tools make of others is told in docs/rules.md. */
const segment: fc.Arbitrary<Segment> = fc
  .record({
    version: fc.constantFrom(4, 6),
    flags: fc.oneof(fc.constantFrom(0x002, 0x012, 0x010, 0x018, 0x011, 0x004, 0x014), fc.nat(0xfff)),
    window: fc.constantFrom(0, 1, 77, 6000),
    payload: fc.oneof(fc.constant('GET /'), fc.string({ maxLength: 12 })),
    options: fc.array(fc.oneof(option, fc.constantFrom({ kind: 'mss', mss: 1460 } as const)), {
      maxLength: 3,
    }),
  })
  .map(({ version, ...rest }) =>
    makeSegment({
      src: version === 4 ? CLIENT : 'fd00:9::1',
      dst: version === 4 ? SERVER : 'fd00:9::2',
      dstPort: PORT,
      ...rest,
    }),
  );

/** The same in every run: what fails once fails again. */
const SEED = 9293;
const packets = fc.sample(segment, { seed: SEED, numRuns: 500 }).map((each) => encode(each));

const wanted: readonly Match[] = [
  ...PICKS.map(([clause]) => parseMatch(clause)),
  ...fc.sample(match, { seed: SEED, numRuns: 25 }),
];

/** How many of the segments the matcher picks, each the first of a connection. */
function matchedBy(asked: Match): number {
  return packets.filter((packet) => {
    const decoded = decode(packet);
    if (decoded.kind !== 'segment') throw new Error('no segment');
    const arrival = { id: 1, atNs: 0, from: 'client', packet, segment: decoded.segment } as const;
    return new Matcher(asked).test(arrival, new FlowTracker().arrive(arrival));
  }).length;
}

const EVERYBODY = Uint8Array.from([255, 255, 255, 255, 255, 255]);
const PATIENCE_MS = 2000;
const LOOK_MS = 20;

describe('of segments that come from the wire, this kernel', () => {
  for (const as of DIALECTS)
    describe(`with rules of ${as}`, () => {
      let hosts: TwoHosts;
      before(async function () {
        needs(as).call(this);
        hosts = await TwoHosts.make();
        // Nobody is there to answer.
        await hosts.server.run('ip', 'address', 'flush', 'dev', 'eth0');
      });
      after(() => hosts?.[Symbol.asyncDispose]());

      function sendAll(): void {
        hosts.client.inside(() => {
          const sender = new PacketSender(EVERYBODY, (_, error) => {
            throw error;
          });
          const ifindex = libc.ifNametoindex('eth0');
          for (const packet of packets) sender.send(ifindex, packet);
          sender.flush();
        });
      }

      async function countedBy(rules: RuleSet, expected: number): Promise<number> {
        await using applied = await AppliedRules.apply(rules, { namespace: hosts.server.path });
        sendAll();
        for (const until = performance.now() + PATIENCE_MS; ; ) {
          const [receipt] = await applied.receipts();
          if (receipt?.matched === expected || performance.now() > until) return receipt?.matched ?? -1;
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
      }

      it('picks those that the matcher picks', async function () {
        this.timeout(120_000);
        let compiled = 0;
        for (const asked of wanted) {
          const fault: Fault = { id: matchLine(asked), match: asked, action: { kind: 'drop' } };
          const hook = as === 'tc' ? ({ interface: 'eth0' } as const) : ({ chain: 'PREROUTING' } as const);
          const result = compileRules([fault], { as, place: { side: 'server', port: PORT, ...hook } });
          if (result.kind === 'refused') continue;
          compiled += 1;
          const expected = matchedBy(asked);
          expect(await countedBy(result.rules, expected), fault.id).to.equal(expected);
        }
        expect(compiled).to.be.at.least(PICKS.length);
      });
    });
});
