import { expect } from 'chai';
import { decode, FLAG, option, type Segment, seqAdd, seqNumber } from '../../harness/segment/index.js';
import { advance, newStep } from '../tcp/index.js';
import { loseSubset } from './exhaustive-loss.js';
import { FOUND_RUNS } from './found-runs.js';
import { checkBlock } from './invariants.js';
import { play } from './random-run.js';
import { type RunOptions, run } from './run.js';
import { blockIn, fromPeer } from './states.js';
import { STORIES } from './stories.js';
import { type HostName, LATENCY_NS } from './two-hosts.js';

/** Runs it, and gives the segments that were sent. */
function sentIn(
  options: RunOptions,
  isLost: (index: number) => boolean,
): { from: HostName; segment: Segment }[] {
  const sent: { from: HostName; segment: Segment }[] = [];
  run({
    ...options,
    fate: ({ from, index, packet }) => {
      const decoded = decode(packet);
      if (decoded.kind === 'segment') sent.push({ from, segment: decoded.segment });
      return isLost(index) ? [] : [LATENCY_NS];
    },
  });
  return sent;
}

describe('what the simulation found', () => {
  it('two sides that both have a FIN and miss the data before it do not answer each other without end', () => {
    // Lost: a SYN,ACK and the data of both sides.
    const { packets } = loseSubset({ story: STORIES['both close at once'], segments: 8 }, 0b10010010);
    expect(packets).to.be.below(30);
  });

  it('the SYN,ACK that answers a repeated SYN echoes the timestamp of that one', () => {
    const [, , syn, synAck] = sentIn(
      { ...STORIES['the client closes first'], serverSettings: { rtoInitialMs: 3000 } },
      (index) => index === 1,
    );
    const told = syn === undefined ? undefined : option(syn.segment, 'timestamps')?.tsVal;
    const echoed = synAck === undefined ? undefined : option(synAck.segment, 'timestamps')?.tsEcr;
    expect(told).to.be.a('number');
    expect(echoed).to.equal(told);
  });

  it('two sides that probe each other understand each other at the first word', () => {
    const side = { sends: 3000, closes: 'when sent', reads: { octets: 600, everyMs: 20_000 } } as const;
    const { packets } = run({ client: side, server: side, settings: { receiveBufferOctets: 600 } });
    expect(packets).to.be.below(150);
  });

  it('a window that is told in units of 32 octets does not grow beyond the buffer by a part of one with each segment', () => {
    const peerOptions = [{ kind: 'windowScale', shift: 5 }, { kind: 'nop' }] as const;
    const [iss, irs] = [seqNumber(-100), seqNumber(-1)];
    const { block, nowNs } = blockIn('ESTABLISHED', {
      ipVersion: 4,
      iss,
      irs,
      peerOptions,
      sends: 0,
      receives: 0,
    });
    const most = block.settings.receiveBufferOctets;
    const hear = (octets: number): void => {
      const segment = fromPeer(block, { payload: new Uint8Array(octets) });
      advance(block, newStep(nowNs), { kind: 'segment', segment });
    };
    for (let i = 0; i * 1460 <= most; i += 1) hear(1460);
    for (let i = 0; i < 2000; i += 1) hear(1);
    expect(block.receiveOctets).to.equal(most);
  });

  it('the points that recoveries ended at move along, or they would lie ahead again after 2^31 octets', () => {
    const [iss, irs] = [seqNumber(-100), seqNumber(-1)];
    const settings = { ecn: 'ask' } as const;
    const { block, nowNs } = blockIn('ESTABLISHED', { ipVersion: 4, iss, irs, peerOptions: [], settings });
    block.hasEcn = true;
    advance(block, newStep(nowNs), { kind: 'segment', segment: fromPeer(block, { ack: block.sndNxt }) });
    // One below: at SND.UNA no duplicate ACK would begin a recovery (RFC 6582 section 3.2 step 2).
    expect((block.sndUna - block.recovery.point) | 0).to.equal(1);
    expect(block.cwrPoint).to.equal(block.sndUna);
  });

  it('a connection that takes the place of one in TIME-WAIT begins behind its numbers', () => {
    const isns = [1_000_000, 0];
    const sent = sentIn(
      {
        client: { sends: 10, closes: 'after end' },
        server: { sends: 5000, closes: 'when sent' },
        rounds: 2,
        stack: {
          initialNumbers: ({ port }) => ({
            iss: seqNumber(port === 80 ? 0 : (isns.pop() ?? 0)),
            tsOffset: 0,
          }),
        },
      },
      () => false,
    );
    const [first, second] = sent.filter(
      ({ segment }) => (segment.flags & FLAG.SYN) !== 0 && segment.srcPort === 80,
    );
    expect(first?.segment.seq).to.equal(0);
    expect(second?.segment.seq).to.be.above(5000);
  });

  it('a SYN with data that comes behind its repeat resets nothing, by RFC 793 either', () => {
    const [iss, irs] = [seqNumber(-100), seqNumber(-1)];
    const settings = { resetProfile: 'rfc793' } as const;
    const options = { ipVersion: 4, iss, irs, peerOptions: [], sends: 0, receives: 0, settings } as const;
    const { block, nowNs } = blockIn('ESTABLISHED', options);
    const segment = fromPeer(block, { seq: irs, flags: 'SYN', payload: 'early' });
    advance(block, newStep(nowNs), { kind: 'segment', segment });
    expect(block.state).to.equal('ESTABLISHED');
  });

  it('a probe of the tail that is cut up, for the path has become smaller, is marked as it was before in both parts', () => {
    const peerOptions = [
      { kind: 'mss', mss: 1460 },
      { kind: 'sackPermitted' },
      { kind: 'nop' },
      { kind: 'nop' },
    ] as const;
    const [iss, irs] = [seqNumber(-100), seqNumber(-1)];
    const { block, nowNs } = blockIn('ESTABLISHED', {
      ipVersion: 4,
      iss,
      irs,
      peerOptions,
      window: 9000,
      receives: 0,
    });
    const hear = (segment: Segment): unknown => advance(block, newStep(nowNs), { kind: 'segment', segment });
    hear(fromPeer(block, { ack: block.sndNxt, window: 9000 }));
    advance(block, newStep(nowNs), { kind: 'send', data: new Uint8Array(3 * 1460) });
    const last = { left: seqAdd(block.sndNxt, -1460), right: block.sndNxt };
    hear(
      fromPeer(block, {
        window: 9000,
        options: [{ kind: 'sack', blocks: [last] }, { kind: 'nop' }, { kind: 'nop' }],
      }),
    );
    block.timers.tailLossProbe = nowNs + 1;
    block.pathMtu = 576;
    advance(block, newStep(nowNs + 1), { kind: 'time' });
    checkBlock(block, nowNs + 1);
  });

  it('what was sent from behind a FIN is forgotten with it', () => {
    const [iss, irs] = [seqNumber(-100), seqNumber(-1)];
    const { block, nowNs } = blockIn('ESTABLISHED', {
      ipVersion: 4,
      iss,
      irs,
      peerOptions: [],
      sends: 0,
      receives: 0,
    });
    const hear = (segment: Segment): unknown => advance(block, newStep(nowNs), { kind: 'segment', segment });
    hear(fromPeer(block, { seq: seqAdd(block.rcvNxt, 1), flags: 'FIN,ACK' }));
    hear(fromPeer(block, { seq: seqAdd(block.rcvNxt, 2), payload: 'behind' }));
    hear(fromPeer(block, { payload: '.' }));
    expect(block.early).to.deep.equal([]);
    expect(block.state).to.equal('CLOSE-WAIT');
  });

  for (const { sentence, run: plan } of FOUND_RUNS)
    it(sentence, () => {
      play(plan);
    });
});
