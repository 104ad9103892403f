import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parseFault, type Receipt } from '../../fault/index.js';
import { AppliedRules } from './applied-rules.js';
import { compileRules } from './compile.js';
import { DEFAULT_TAG } from './default-tag.js';
import { PICKS } from './picks.fixture.js';
import type { RulePlace } from './place.js';
import { rulesCapability } from './probe.js';
import { queueRules } from './queue.js';
import { DIALECTS, type Dialect, type RuleSet } from './rule-set.js';
import { RulesUnavailable } from './runner.js';
import { sweepEndedRules, sweepRules } from './sweep.js';
import { ownerNumber, ownTag } from './tag-owner.js';
import { CLIENT, needs, PORT, rulesOn, SERVER, TwoHosts } from './two-hosts.fixture.js';

/** As `rtt` is not known yet: RFC 6298 rule 2.1, and Linux's TCP_TIMEOUT_INIT. */
const FIRST_RTO_MS = 1000;
const EARLY_MS = 20;

function compiled(
  as: Dialect,
  lines: readonly string[],
  place: Partial<RulePlace> = {},
  tag = DEFAULT_TAG,
): RuleSet {
  const where = as === 'tc' ? { interface: 'eth0' } : {};
  const result = compileRules(lines.map(parseFault), {
    as,
    tag,
    place: { side: 'server', client: CLIENT, server: SERVER, port: PORT, ...where, ...place },
  });
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusals));
  return result.rules;
}

const counts = (receipts: readonly Receipt[]): readonly (readonly [number, number])[] =>
  receipts.map(({ matched, acted }) => [matched, acted]);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** As they would be pasted into a shell, removal included. */
const GOLDEN = new URL('../../../../harness/wire/rules/golden/', import.meta.url);

describe('the text of rules, in a shell', () => {
  for (const file of readdirSync(GOLDEN)) {
    const dialect = DIALECTS.find((each) => file.startsWith(each)) ?? 'iptables';
    describe(file, () => {
      before(needs(dialect));

      it('runs, and leaves nothing', async function () {
        const { lacks, sentence } = rulesCapability('tc');
        if (file === 'tc-delay.txt' && lacks.includes('netem')) {
          process.stderr.write(`skipped: ${sentence}\n`);
          this.skip();
        }
        await using pair = await TwoHosts.make();
        const before = await rulesOn(pair.server, dialect);
        await pair.server.run('sh', '-e', fileURLToPath(new URL(file, GOLDEN)));
        expect(await rulesOn(pair.server, dialect)).to.deep.equal(before);
      });
    });
  }
});

describe('rules between two hosts of this kernel', () => {
  let hosts: TwoHosts;

  for (const dialect of ['iptables', 'nft'] as const)
    describe(dialect, () => {
      before(needs(dialect));
      beforeEach(async () => {
        hosts = await TwoHosts.make();
      });
      afterEach(() => hosts[Symbol.asyncDispose]());

      it('drop a SYN once: it is sent again, the receipt says so, and nothing is left', async () => {
        const before = await rulesOn(hosts.server, dialect);
        {
          await using applied = await AppliedRules.apply(compiled(dialect, ['drop client.syn once']), {
            namespace: hosts.server.path,
          });
          expect((await rulesOn(hosts.server, dialect)).length).to.be.above(before.length);
          const { openMs } = await hosts.ask();
          expect(openMs).to.be.at.least(FIRST_RTO_MS - EARLY_MS);
          expect(counts(await applied.receipts())).to.deep.equal([[2, 1]]);
          await hosts.ask();
          expect(counts(await applied.receipts())).to.deep.equal([[3, 1]]);
        }
        expect(await rulesOn(hosts.server, dialect)).to.deep.equal(before);
      });

      it('drop the data that a search, or a length, picks, so often as is said', async () => {
        const picks = dialect === 'iptables' ? 'containing "GET"' : 'of 5 octets';
        await using applied = await AppliedRules.apply(
          compiled(dialect, [`drop client.data ${picks} twice`, 'drop client.data of 6 octets']),
          { namespace: hosts.server.path },
        );
        const { openMs, answerMs } = await hosts.ask();
        expect(openMs).to.be.below(FIRST_RTO_MS - EARLY_MS);
        expect(answerMs).to.be.above(200);
        expect(counts(await applied.receipts())).to.deep.equal([
          [3, 2],
          [0, 0],
        ]);
      });

      it('drop what comes after an event only', async () => {
        await using applied = await AppliedRules.apply(
          compiled(dialect, ['drop server.syn-ack after server.syn-ack once'], { side: 'client' }),
          { namespace: hosts.client.path },
        );
        await hosts.ask();
        expect(counts(await applied.receipts())).to.deep.equal([[0, 0]]);
        const { openMs } = await hosts.ask();
        expect(openMs).to.be.at.least(FIRST_RTO_MS - EARLY_MS);
        const [receipt] = await applied.receipts();
        // The second SYN asks for one more, and so does the server's own timer.
        expect(receipt?.matched).to.be.at.least(2);
        expect(receipt?.acted).to.equal(1);
      });

      it('drop in a time after an event', async () => {
        const span = dialect === 'iptables' ? 'within 3s of' : 'within 2500ms of';
        await using applied = await AppliedRules.apply(
          compiled(dialect, [`drop client.syn ${span} client.syn`]),
          { namespace: hosts.server.path },
        );
        expect((await hosts.ask()).openMs).to.be.below(FIRST_RTO_MS - EARLY_MS);
        expect((await hosts.ask()).openMs).to.be.at.least(FIRST_RTO_MS - EARLY_MS);
        const [receipt] = await applied.receipts();
        expect(receipt?.acted).to.be.at.least(1);
        // It has come through, so the time is over.
        expect((await hosts.ask()).openMs).to.be.below(FIRST_RTO_MS - EARLY_MS);
        expect(await applied.receipts()).to.deep.equal([receipt]);
      });

      it('count the first of all alternatives together', async () => {
        await using applied = await AppliedRules.apply(
          compiled(dialect, ['drop first (syn or segment with flags SYN) from client']),
          { namespace: hosts.server.path },
        );
        expect((await hosts.ask()).openMs).to.be.at.least(FIRST_RTO_MS - EARLY_MS);
        expect(counts(await applied.receipts())).to.deep.equal([[1, 1]]);
      });

      it('rewrite what the server gets, which answers as it does to such a SYN', async () => {
        await using rewriting = await AppliedRules.apply(
          compiled(dialect, ['rewrite mss=536, ttl=3, remove=timestamps of client.syn']),
          { namespace: hosts.server.path },
        );
        await using answers = await AppliedRules.apply(
          compiled(
            dialect,
            [
              'with: drop server.syn-ack with option timestamps',
              'without: drop server.syn-ack without option timestamps once',
            ],
            { side: 'client' },
          ),
          { namespace: hosts.client.path },
        );
        await hosts.ask();
        expect((await rewriting.receipts())[0]?.acted).to.be.at.least(1);
        const [having, lacking] = await answers.receipts();
        expect(having?.matched).to.equal(0);
        expect(lacking?.acted).to.equal(1);
      });

      it('are all understood by this kernel, for both versions of IP', async () => {
        const before = await rulesOn(hosts.server, dialect);
        const lines = PICKS.map(([clause]) => `drop ${clause}`);
        const after = 'drop rst 1s to 2s after fin';
        const result = compileRules([after, ...lines].map(parseFault), {
          as: dialect,
          place: { side: 'between', port: PORT },
        });
        if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusals));
        const applied = await AppliedRules.apply(result.rules, { namespace: hosts.server.path });
        const receipts = await applied.receipts();
        await applied[Symbol.asyncDispose]();
        expect(counts(receipts)).to.deep.equal([after, ...lines].map(() => [0, 0]));
        expect(await rulesOn(hosts.server, dialect)).to.deep.equal(before);
      });

      it('leave nothing when a part of them is refused by the kernel', async () => {
        const rules = compiled(dialect, ['drop client.syn once']);
        const before = await rulesOn(hosts.server, dialect);
        const broken: RuleSet = {
          ...rules,
          apply: [...rules.apply, { argv: [dialect, 'no', 'such', 'thing'] }],
        };
        const failed = await AppliedRules.apply(broken, { namespace: hosts.server.path }).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failed).to.be.instanceOf(RulesUnavailable);
        expect(await rulesOn(hosts.server, dialect)).to.deep.equal(before);
      });

      it('are refused where there are such already, and those stay', async () => {
        const rules = compiled(dialect, ['drop client.syn once']);
        await using first = await AppliedRules.apply(rules, { namespace: hosts.server.path });
        const there = await rulesOn(hosts.server, dialect);
        const second = await AppliedRules.apply(rules, { namespace: hosts.server.path }).catch(
          (error: unknown) => error,
        );
        expect(second).to.be.instanceOf(RulesUnavailable);
        expect(await rulesOn(hosts.server, dialect)).to.deep.equal(there);
        expect(counts(await first.receipts())).to.deep.equal([[0, 0]]);
      });
    });

  describe('tc', () => {
    before(needs('tc'));
    beforeEach(async () => {
      hosts = await TwoHosts.make();
    });
    afterEach(() => hosts[Symbol.asyncDispose]());

    it('drop SYNs until they are removed: the next one comes through, and nothing is left', async () => {
      const before = await rulesOn(hosts.server, 'tc');
      const applied = await AppliedRules.apply(compiled('tc', ['drop client.syn']), {
        namespace: hosts.server.path,
      });
      expect((await rulesOn(hosts.server, 'tc')).length).to.be.above(before.length);
      const asking = hosts.ask();
      let receipts = await applied.receipts();
      while (receipts[0]?.acted === 0) {
        await sleep(20);
        receipts = await applied.receipts();
      }
      expect(counts(receipts)).to.deep.equal([[1, 1]]);
      await applied[Symbol.asyncDispose]();
      expect((await asking).openMs).to.be.at.least(FIRST_RTO_MS - EARLY_MS);
      expect(await rulesOn(hosts.server, 'tc')).to.deep.equal(before);
    });

    for (const [what, fault, acted] of [
      [
        'options that are walked',
        'drop client.syn with option windowScale with mss 1460 without option md5',
        1,
      ],
      ['options that are not there', 'drop client.syn with option userTimeout', 0],
      ['octets that are searched', 'drop client.data of 1..40 octets containing "T /"', 1],
      ['octets that are not there', 'drop client.data of 1..40 octets containing "PUT"', 0],
    ] as const)
      it(`pick by ${what}`, async () => {
        const applied = await AppliedRules.apply(compiled('tc', [fault]), { namespace: hosts.server.path });
        const asking = hosts.ask();
        await sleep(500);
        const [receipt] = await applied.receipts();
        expect(receipt?.acted).to.satisfy((count: number) => (acted === 0 ? count === 0 : count > 0));
        await applied[Symbol.asyncDispose]();
        await asking;
      });

    it('are refused where a clsact is already, whose count would not be theirs; it stays', async () => {
      await hosts.server.run('tc', 'qdisc', 'add', 'dev', 'eth0', 'clsact');
      const before = await rulesOn(hosts.server, 'tc');
      const failed = await AppliedRules.apply(compiled('tc', ['drop client.syn']), {
        namespace: hosts.server.path,
      }).catch((error: unknown) => error);
      expect(failed).to.be.instanceOf(RulesUnavailable);
      expect(await rulesOn(hosts.server, 'tc')).to.deep.equal(before);
    });

    it('delay by netem, where the kernel has it, and leave nothing where it has not', async () => {
      const { lacks } = rulesCapability('tc');
      const before = await rulesOn(hosts.client, 'tc');
      const applying = AppliedRules.apply(compiled('tc', ['delay client.syn by 150ms'], { side: 'client' }), {
        namespace: hosts.client.path,
      });
      if (lacks.includes('netem'))
        expect(await applying.catch((error: unknown) => error)).to.be.instanceOf(RulesUnavailable);
      else {
        await using applied = await applying;
        expect((await hosts.ask()).openMs).to.be.within(150, 150 + 100);
        expect(counts(await applied.receipts())).to.deep.equal([[1, 1]]);
      }
      expect(await rulesOn(hosts.client, 'tc')).to.deep.equal(before);
    });
  });

  for (const dialect of DIALECTS)
    describe(`${dialect} in a process that is killed`, () => {
      before(needs(dialect));

      it('stay until they are swept, and nothing of others goes with them', async () => {
        await using pair = await TwoHosts.make();
        const { server } = pair;
        await server.run('iptables', '-t', 'mangle', '-N', 'theirs').catch(() => {});
        await server.run('nft', 'add', 'table', 'inet', 'theirs').catch(() => {});
        const before = await rulesOn(server, dialect);
        const rules = compiled(dialect, ['drop client.syn']);
        // Nobody disposes of it here, as after a kill -9.
        for (const { argv, input } of rules.apply) {
          const [file = '', ...args] = argv;
          await server.feed(input ?? '', file, ...args);
        }
        expect(await sweepRules({ namespace: server.path })).to.not.be.empty;
        expect(await rulesOn(server, dialect)).to.deep.equal(before);
        expect(await sweepRules({ namespace: server.path })).to.deep.equal([]);
      });
    });

  for (const dialect of DIALECTS)
    describe(`${dialect} by the end of whoever applied them`, () => {
      before(needs(dialect));

      it('are swept, and those of the living and of people stay', async () => {
        await using pair = await TwoHosts.make();
        const before = await rulesOn(pair.server, dialect);
        const tagged = (tag: string): RuleSet => compiled(dialect, ['drop rst'], { side: 'server' }, tag);
        const script = `import { AppliedRules } from '${new URL('./applied-rules.js', import.meta.url)}';
          import { compileRules } from '${new URL('./compile.js', import.meta.url)}';
          import { ownTag } from '${new URL('./tag-owner.js', import.meta.url)}';
          const { faults, place } = ${JSON.stringify(tagged('lastack'))};
          const { rules } = compileRules(faults, { as: '${dialect}', place, tag: ownTag() });
          await AppliedRules.apply(rules);
          console.log('applied');
          setInterval(() => {}, 1000);`;
        const child = pair.server.start(process.execPath, '--input-type=module', '-e', script);
        if (child.stdout !== null) await once(child.stdout, 'data');
        await using living = await AppliedRules.apply(tagged(ownTag()), { namespace: pair.client.path });
        const there = await sweepEndedRules({ namespace: pair.server.path });
        expect(there.before).to.be.above(0);
        expect(there).to.deep.equal({ before: there.before, removed: 0, after: there.before });

        child.kill('SIGKILL');
        await once(child, 'exit');
        expect(await sweepEndedRules({ namespace: pair.server.path })).to.deep.equal({
          before: there.before,
          removed: there.before,
          after: 0,
        });
        expect(await rulesOn(pair.server, dialect)).to.deep.equal(before);
        expect((await sweepEndedRules({ namespace: pair.client.path })).removed).to.equal(0);
        expect(counts(await living.receipts())).to.deep.equal([[0, 0]]);
        await using pasted = await AppliedRules.apply(tagged('lastack'), { namespace: pair.server.path });
        expect((await sweepEndedRules({ namespace: pair.server.path })).removed).to.equal(0);
        expect(counts(await pasted.receipts())).to.deep.equal([[0, 0]]);
      });
    });

  it('of tc whose filter is not there yet have an owner as well', async function () {
    needs('tc').call(this);
    await using pair = await TwoHosts.make();
    const gone = ownerNumber(`${ownTag().slice(0, 'lastack-pSSSNN'.length)}${(2 ** 22 - 1).toString(36)}`);
    const htb = ['qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '4701:', 'htb', 'default', '1', 'r2q'];
    await pair.server.run('tc', ...htb, String(gone));
    await pair.client.run('tc', ...htb, String(ownerNumber(ownTag())));
    expect((await sweepEndedRules({ namespace: pair.server.path })).removed).to.equal(1);
    expect((await sweepEndedRules({ namespace: pair.client.path })).removed).to.equal(0);
  });

  describe('a queue that nobody reads', () => {
    before(needs('iptables'));

    it('lets everything pass, and is gone afterwards', async () => {
      await using pair = await TwoHosts.make();
      const before = await rulesOn(pair.server, 'iptables');
      const place = { side: 'server', server: SERVER, port: PORT } as const;
      const applied = await AppliedRules.apply(queueRules(place, { queue: 7, tag: 'lastack' }), {
        namespace: pair.server.path,
      });
      expect((await pair.ask()).openMs).to.be.below(FIRST_RTO_MS - EARLY_MS);
      const saved = await pair.server.run('iptables-save', '-c', '-t', 'mangle');
      expect(saved)
        .to.match(/^\[[1-9]\d*:\d+\] -A INPUT .*NFQUEUE/m)
        .and.to.match(/^\[[1-9]\d*:\d+\] -A OUTPUT /m);
      await applied[Symbol.asyncDispose]();
      expect(await rulesOn(pair.server, 'iptables')).to.deep.equal(before);
    });
  });

  for (const [dialect, signal] of [
    ['iptables', 'SIGINT'],
    ['nft', 'SIGTERM'],
    ['tc', 'SIGINT'],
  ] as const)
    describe(`${dialect} in a process that a ${signal} ends`, () => {
      before(needs(dialect));

      it('are gone with it', async () => {
        await using pair = await TwoHosts.make();
        const before = await rulesOn(pair.server, dialect);
        const rules = compiled(dialect, ['drop client.syn']);
        // As the command line does.
        const script = `import { AppliedRules } from '${new URL('./applied-rules.js', import.meta.url)}';
          process.once('${signal}', () => process.exit(1));
          await AppliedRules.apply(${JSON.stringify(rules)});
          console.log('applied');
          setInterval(() => {}, 1000);`;
        const child = pair.server.start(process.execPath, '--input-type=module', '-e', script);
        if (child.stdout !== null) await once(child.stdout, 'data');
        expect((await rulesOn(pair.server, dialect)).length).to.be.above(before.length);
        child.kill(signal);
        await once(child, 'exit');
        expect(await rulesOn(pair.server, dialect)).to.deep.equal(before);
      });
    });
});
