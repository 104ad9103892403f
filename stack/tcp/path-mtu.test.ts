/** The path's MTU: RFC 1191, RFC 8201, RFC 4821; and what else ICMP tells: RFC 9293 section 3.9.2.2, RFC 5927. */
import { expect } from 'chai';
import { type SeqNumber, seqAdd } from '../../harness/segment/index.js';
import type { IcmpNews } from './icmp.js';
import {
  errorOf,
  expectSent,
  ISS,
  inEstablished,
  inLastAck,
  inSynReceivedByActiveOpen,
  inSynSent,
  kindsOf,
  type Machine,
  type Setup,
} from './machine.fixture.js';

const V6 = {
  local: { ip: '2001:db8::1', port: 80 },
  remote: { ip: '2001:db8::2', port: 40_000 },
  ipVersion: 6,
} as const;
const sending = (setup: Setup = {}): Machine => {
  const machine = inEstablished({ mss: 1460, window: 64_000, ...setup });
  machine.send(20_000);
  return machine;
};
const tell = (machine: Machine, news: Omit<IcmpNews, 'seq'> & { readonly seq?: SeqNumber }) =>
  machine.on({ kind: 'icmp', news: { seq: machine.block.sndUna, ...news } as IcmpNews });
const tooBig = (machine: Machine, mtu: number, seq = machine.block.sndUna) =>
  tell(machine, { kind: 'too-big', mtu, seq } as never);
const largest = ({ segments }: { readonly segments: readonly { readonly payload: Uint8Array }[] }) =>
  Math.max(0, ...segments.map(({ payload }) => payload.length));

describe('Path MTU discovery by ICMP (RFC 1191, RFC 8201, NOID-52)', () => {
  it('sends what was too big again at once, in smaller segments, and does not slow down', () => {
    const machine = sending();
    const { cwnd } = machine.block.congestion;
    const reaction = tooBig(machine, 1000);
    expect(reaction.segments[0]?.seq).to.equal(ISS + 1);
    expect(largest(reaction)).to.equal(960);
    expect(machine.block.congestion.cwnd).to.equal(cwnd);
    expect(machine.block.counts.timeouts).to.equal(0);
  });

  it('sets DF, unless it is off', () => {
    const df = (machine: Machine) => {
      const [segment] = machine.send('x').segments;
      return segment?.ip.version === 4 && segment.ip.dontFragment;
    };
    expect(df(inEstablished())).to.equal(true);
    expect(df(inEstablished({ settings: { pathMtuDiscovery: 'off' } }))).to.equal(false);
  });

  it('never raises what is believed, and believes nothing when it is off', () => {
    const machine = sending();
    tooBig(machine, 1000);
    expectSent(tooBig(machine, 1400));
    expect(machine.block.pathMtu).to.equal(1000);
    const off = sending({ settings: { pathMtuDiscovery: 'off' } });
    expectSent(tooBig(off, 1000));
    expect(off.block.pathMtu).to.equal(1500);
  });

  it('heeds only what quotes something under way (RFC 5927 section 4.1, R5927-01)', () => {
    const machine = sending();
    for (const seq of [seqAdd(machine.block.sndUna, -1), machine.block.sndNxt])
      expectSent(tooBig(machine, 600, seq));
    expect(machine.block.pathMtu).to.equal(1500);
  });

  it('tries the full size again after ten minutes (RFC 8201 section 5.3)', () => {
    const machine = sending();
    tooBig(machine, 1000);
    machine.recv();
    machine.wait(600_000);
    expect(machine.block.pathMtu).to.equal(1500);
  });

  it('IPv4: below 576 octets it lets routers fragment, and does not go below', () => {
    const machine = sending();
    const reaction = tooBig(machine, 300);
    expect(largest(reaction)).to.equal(536);
    const [first] = reaction.segments;
    expect(first?.ip.version === 4 && first.ip.dontFragment).to.equal(false);
    while (machine.block.sendOctets > 0) machine.recv();
    machine.wait(600_000);
    const [later] = machine.send('x').segments;
    expect(later?.ip.version === 4 && later.ip.dontFragment, 'ten minutes later').to.equal(true);
  });

  it('IPv6: a packet too big below 1280 octets is discarded (RFC 8201 section 4)', () => {
    const machine = sending(V6);
    expectSent(tooBig(machine, 1279));
    expect(machine.block.pathMtu).to.equal(1500);
    expect(largest(tooBig(machine, 1280))).to.equal(1220);
  });
});

describe('Path MTU discovery without ICMP (RFC 4821)', () => {
  const probing = (setup: Setup = {}): Machine =>
    inEstablished({
      mss: 1460,
      window: 64_000,
      ...setup,
      settings: { pathMtuDiscovery: 'probe', ...setup.settings },
    });

  it('begins at 1024 octets of data, and probes for more with data when enough follows', () => {
    const machine = probing();
    const { segments } = machine.send(30_000);
    const sizes = segments.map(({ payload }) => payload.length);
    expect(sizes.filter((each) => each > 1024)).to.deep.equal([1460]);
  });

  it('a probe that arrives raises the size', () => {
    const machine = probing();
    machine.send(30_000);
    machine.recv();
    expect(machine.block.pathMtu).to.equal(1500);
    expect(largest(machine.send(20_000))).to.equal(1460);
  });

  for (const [name, setup] of [
    ['with SACK', { settings: { sack: true }, options: [{ kind: 'sackPermitted' }] }],
    ['without', {}],
  ] as const)
    it(`a probe that is lost is no congestion, ${name}: it goes again in smaller segments`, () => {
      const machine = probing(setup);
      machine.send(30_000);
      const { cwnd } = machine.block.congestion;
      const { sent } = machine.block;
      const index =
        Array.from({ length: sent.count }, (_, i) => i).find((i) => (sent.at(i)?.mtuProbe ?? 0) > 0) ?? 0;
      const probe = sent.at(index);
      if (probe === undefined) throw new Error('there is no probe');
      machine.wait(1);
      const left = seqAdd(probe.seq, probe.length);
      const segments = [1, 2, 3, 4].flatMap((n) => {
        const blocks = [{ left, right: seqAdd(left, n * 1024) }];
        const options = machine.block.hasSack ? [{ kind: 'sack', blocks } as const] : [];
        return machine.recv({ ack: probe.seq, options }).segments;
      });
      const again = segments.filter(({ seq }) => seq === probe.seq);
      expect(again.length).to.equal(1);
      expect(again[0]?.payload.length).to.equal(1024);
      expect(machine.block.congestion.cwnd).to.be.at.least(cwnd);
      expect(machine.block.pmtu.high).to.equal(1499);
    });

  it('full segments that time out again and again are taken for a black hole, and halved', () => {
    const machine = probing({ settings: { tailLossProbe: false } });
    machine.send(30_000);
    machine.recv();
    machine.send(20_000);
    machine.wait(1000 + 2000);
    expect(machine.block.pathMtu).to.equal(750);
    expect(largest(machine.recv({ ack: machine.block.sndUna + 710 }))).to.equal(710);
  });

  it('looks for more again after ten minutes', () => {
    const machine = probing();
    machine.send(30_000);
    machine.recv();
    tooBigNow(machine, 1200);
    machine.recv();
    machine.wait(600_000);
    expect(machine.block.pmtu).to.deep.equal({ low: 1200, high: 1500 });
  });
  function tooBigNow(machine: Machine, mtu: number): void {
    machine.send(1400);
    tooBig(machine, mtu);
  }
});

describe('Other errors that ICMP tells (3.9.2.2)', () => {
  const soft = (machine: Machine) => tell(machine, { kind: 'soft', error: 'EHOSTUNREACH' } as never);
  const hard = (machine: Machine) => tell(machine, { kind: 'hard', error: 'ECONNREFUSED' } as never);

  for (const make of [inSynSent, inSynReceivedByActiveOpen, sending, inLastAck])
    it(`${make().state}: a soft one does not end the connection, and the program is told (MUST-56, MUST-47, SHLD-25)`, () => {
      const machine = make();
      const { state } = machine;
      const reaction = soft(machine);
      expect(reaction.state).to.equal(state);
      expect(kindsOf(reaction)).to.deep.equal(['soft-error']);
    });

  it('a soft one explains a time-out that follows', () => {
    const machine = inSynSent();
    soft(machine);
    expect(errorOf(machine.wait(300_000))).to.equal('EHOSTUNREACH');
  });

  it('and not one that follows after the trouble is over', () => {
    const machine = sending();
    soft(machine);
    machine.recv();
    machine.send('x');
    expect(errorOf(machine.wait(3_600_000))).to.equal('ETIMEDOUT');
  });

  for (const make of [inSynSent, inSynReceivedByActiveOpen])
    it(`${make().state}: a hard one ends the opening (SHLD-26)`, () => {
      const reaction = hard(make());
      expect([reaction.state, errorOf(reaction)]).to.deep.equal(['CLOSED', 'ECONNREFUSED']);
    });

  it('ESTABLISHED: a hard one is soft, for anybody could send it (R5927-02), unless the setting says otherwise (SHLD-26)', () => {
    const machine = sending();
    expect(hard(machine).state).to.equal('ESTABLISHED');
    const strict = sending({ settings: { hardErrorsAbort: 'always' } });
    expect(errorOf(hard(strict))).to.equal('ECONNREFUSED');
  });

  it('what quotes nothing under way is ignored (R5927-01)', () => {
    const machine = sending();
    const reaction = tell(machine, {
      kind: 'soft',
      error: 'EHOSTUNREACH',
      seq: machine.block.sndNxt,
    } as never);
    expect(kindsOf(reaction)).to.deep.equal([]);
  });
});
