/** The story through Toxiproxy that compose projects are told, in the netns lab: with an agent's freedom at both ends. */
import { expect } from 'chai';
import { asToxic, netnsCapability, runViaScenario, toxiproxyServer } from '../harness/index.js';
import { throughToxiproxy } from './compose/index.js';

const run = (toxics: readonly string[], request = 'request') =>
  runViaScenario(throughToxiproxy({ toxics: toxics.map((line) => asToxic(line)), request }), {
    ipVersion: 4,
  });

describe('the story of a compose project with Toxiproxy', function () {
  this.timeout(120_000);
  before(async function () {
    const { way, sentence } = netnsCapability();
    const reason =
      way === 'none'
        ? sentence
        : await toxiproxyServer().then(
            () => undefined,
            (error: Error) => error.message,
          );
    if (reason === undefined) return;
    process.stderr.write(`skipped: ${reason}\n`);
    this.skip();
  });

  it('asks for the latencies of both directions, and each of its checks can fail', async () => {
    const { outcome, verdict, results, legs, scenario } = await run([
      'latency upstream 150ms',
      'latency downstream 100ms',
    ]);
    expect({ outcome, verdict }).to.deep.equal({ outcome: { kind: 'played' }, verdict: 'pass' });
    expect(results.map(({ id }) => id)).to.include.members(['upstream-late', 'downstream-late']);
    if (legs === undefined) throw new Error('the legs were recorded');
    for (const check of scenario.checks)
      expect(check.judge(check.mutate(legs)).verdict, check.id).to.equal('fail');
  });

  it('asks for no time of an answer that another toxic keeps back', async () => {
    const { verdict, results } = await run(['latency downstream 100ms', 'timeout downstream after 0ms']);
    expect(verdict).to.equal('pass');
    expect(results.map(({ id }) => id)).to.not.include('downstream-late');
  });

  it('is one of a handshake and a close where nobody says anything', async () => {
    const { verdict, legs } = await run([], '');
    expect(verdict).to.equal('pass');
    expect(legs?.client.events.some((each) => 'facts' in each && each.facts.roles.includes('data'))).to.equal(
      false,
    );
  });
});
