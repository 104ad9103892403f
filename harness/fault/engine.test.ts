import { expect } from 'chai';
import { decode, flagsText, option, type Segment, seqDiff, seqNumber } from '../segment/index.js';
import {
  corruptChecksum,
  data,
  delay,
  drop,
  duplicate,
  fin,
  hold,
  inject,
  reorder,
  replay,
  rewrite,
  segment,
  syn,
  synAck,
  truncate,
} from './builders.js';
import { Conversation, type Say } from './conversation.fixture.js';
import type { Effect } from './effect.js';
import { FaultEngine, type Ruling } from './engine.js';
import type { Fault } from './fault.js';
import type { Side } from './flow.js';

/** A conversation whose segments pass a plan; arrivals are numbered from 1. */
class Wire {
  readonly engine: FaultEngine;
  readonly talk = new Conversation();
  #id = 0;

  constructor(...faults: readonly Fault[]) {
    this.engine = new FaultEngine(faults);
  }

  say(from: Side, flags: string, say: Say = {}): Ruling {
    this.#id += 1;
    const arrival = { ...this.talk.arrival(from, flags, say), id: this.#id };
    const facts = this.talk.tracker.arrive(arrival);
    this.talk.give(arrival);
    return this.engine.arrive(arrival, facts);
  }

  readonly c = (flags: string, say?: Say): Ruling => this.say('client', flags, say);
  readonly s = (flags: string, say?: Say): Ruling => this.say('server', flags, say);

  open(): this {
    this.c('SYN');
    this.s('SYN,ACK');
    this.c('ACK');
    return this;
  }
}

/** `deliver 3 to server`, `deliver 3 to server +20ms`, `drop 3`, `inject to client`. */
function short(effect: Effect): string {
  const delay = 'delayNs' in effect && effect.delayNs > 0 ? ` +${effect.delayNs / 1e6}ms` : '';
  if (effect.kind === 'deliver') return `deliver ${effect.arrival} to ${effect.to}${delay}`;
  if (effect.kind === 'inject') return `inject to ${effect.to}${delay}`;
  return `${effect.kind} ${effect.arrival}`;
}

const shorts = ({ effects }: Pick<Ruling, 'effects'>): string[] => effects.map(short);

function packetOf(effect: Effect | undefined): { segment: Segment; isSound: boolean } {
  if (effect === undefined || !('packet' in effect)) throw new Error('no packet');
  const decoded = decode(effect.packet);
  if (decoded.kind !== 'segment') throw new Error('no segment');
  return { segment: decoded.segment, isSound: decoded.checksumOk.tcp && decoded.checksumOk.ip };
}

describe('fault engine: each action', () => {
  it('delivers what no fault picks, as it came', () => {
    const { c } = new Wire();
    const { effects, marks } = c('SYN');
    expect(effects.map(short)).to.deep.equal(['deliver 1 to server']);
    expect(effects[0]).not.to.have.property('fault');
    expect(marks).to.deep.equal([]);
  });

  it('drops', () => {
    const fault = drop(syn());
    const { c } = new Wire(fault);
    expect(c('SYN')).to.deep.equal({
      effects: [{ kind: 'drop', arrival: 1, fault: fault.id }],
      marks: [{ fault: fault.id, what: 'dropped' }],
    });
  });

  it('delays', () => {
    const { effects, marks } = new Wire(delay(syn(), { byMs: 20 })).c('SYN');
    expect(effects.map(short)).to.deep.equal(['deliver 1 to server +20ms']);
    expect(marks[0]?.what).to.equal('delayed by 20 ms');
  });

  it('holds until released, in order, and holds nothing more then', () => {
    const { c, engine } = new Wire(hold(segment().from('client'), { id: 'h' }));
    expect(shorts(c('SYN'))).to.deep.equal(['hold 1']);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['hold 2']);
    expect(engine.release('h').map(short)).to.deep.equal(['deliver 1 to server', 'deliver 2 to server']);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['deliver 3 to server']);
    expect(engine.release('h')).to.deep.equal([]);
    expect(engine.receipts()[0]).to.include({ matched: 3, acted: 2 });
  });

  it('holds until another segment has gone by, which then comes first', () => {
    const { c } = new Wire(hold(segment().from('client'), { until: data().from('client') }));
    c('SYN');
    c('ACK', { seq: 1 });
    expect(shorts(c('PSH,ACK', { data: 'x' }))).to.deep.equal([
      'deliver 3 to server',
      'deliver 1 to server',
      'deliver 2 to server',
    ]);
    expect(shorts(c('ACK'))).to.deep.equal(['deliver 4 to server']);
  });

  it('lets go what waits for a segment even when that segment is dropped', () => {
    const { c, s } = new Wire(hold(synAck(), { until: data() }), drop(data()));
    c('SYN');
    s('SYN,ACK');
    expect(shorts(c('PSH,ACK', { data: 'x' }))).to.deep.equal(['drop 3', 'deliver 2 to client']);
  });

  it('duplicates, once or more, behind the segment', () => {
    expect(shorts(new Wire(duplicate(syn())).c('SYN'))).to.deep.equal([
      'deliver 1 to server',
      'deliver 1 to server',
    ]);
    expect(shorts(new Wire(duplicate(syn(), { copies: 2, afterMs: 5 })).c('SYN'))).to.deep.equal([
      'deliver 1 to server',
      'deliver 1 to server +5ms',
      'deliver 1 to server +10ms',
    ]);
  });

  it('reorders behind so many others of the same side and connection', () => {
    const { c, s } = new Wire(reorder(data().ordinal(1), { after: 2 })).open();
    expect(shorts(c('ACK', { data: 'a' }))).to.deep.equal(['hold 4']);
    expect(shorts(s('ACK'))).to.deep.equal(['deliver 5 to client']);
    expect(shorts(c('ACK', { data: 'b' }))).to.deep.equal(['deliver 6 to server']);
    expect(shorts(c('ACK', { data: 'c' }))).to.deep.equal(['deliver 7 to server', 'deliver 4 to server']);
    expect(shorts(c('ACK', { data: 'd' }))).to.deep.equal(['deliver 8 to server']);
  });

  it('does not count what is dropped as gone by', () => {
    const { c } = new Wire(reorder(data().ordinal(1), { after: 1 }), drop(data().ordinal(2))).open();
    c('ACK', { data: 'a' });
    expect(shorts(c('ACK', { data: 'b' }))).to.deep.equal(['drop 5']);
    expect(shorts(c('ACK', { data: 'c' }))).to.deep.equal(['deliver 6 to server', 'deliver 4 to server']);
  });

  it('rewrites fields and options with right checksums', () => {
    const change = {
      seq: 'same+7',
      ack: 4242,
      flags: ['SYN', 'ACK'],
      window: 1,
      ttl: 3,
      urgentPointer: 9,
      srcPort: 1,
      dstPort: 2,
      payload: 'changed',
      setOptions: [{ kind: 'mss', mss: 536 }],
    } as const;
    const wire = new Wire(rewrite(data(), change)).open();
    const { effects, marks } = wire.c('PSH,ACK', { data: 'x' });
    const { segment: changed, isSound } = packetOf(effects[0]);
    expect(isSound).to.equal(true);
    expect(changed).to.include({ ack: 4242, window: 1, urgentPointer: 9, srcPort: 1, dstPort: 2 });
    expect(seqDiff(changed.seq, seqNumber(wire.talk.iss.client))).to.equal(8);
    expect(flagsText(changed.flags)).to.equal('SYN,ACK');
    expect(changed.ip.ttl).to.equal(3);
    expect(option(changed, 'mss')?.mss).to.equal(536);
    expect(new TextDecoder().decode(changed.payload)).to.equal('changed');
    expect(marks[0]?.what).to.match(/^rewritten \(seq, ack, flags/);
  });

  it('replaces and removes options', () => {
    const options = [
      { kind: 'mss', mss: 1460 },
      { kind: 'sackPermitted' },
      { kind: 'windowScale', shift: 7 },
      { kind: 'nop' },
    ] as const;
    const change = {
      setOptions: [{ kind: 'windowScale', shift: 2 }],
      removeOptions: ['sackPermitted'],
    } as const;
    const { effects } = new Wire(rewrite(syn(), change)).c('SYN', { options });
    const kinds = packetOf(effects[0]).segment.options.filter(({ kind }) => kind !== 'nop' && kind !== 'eol');
    expect(kinds).to.deep.equal([
      { kind: 'mss', mss: 1460 },
      { kind: 'windowScale', shift: 2 },
    ]);
  });

  it('says so when a change cannot be made, and lets the segment pass', () => {
    const { c, engine } = new Wire(rewrite(syn(), { ack: 'next' }));
    const { effects, marks } = c('SYN');
    expect(effects.map(short)).to.deep.equal(['deliver 1 to server']);
    expect(marks[0]?.what).to.equal("not changed: the segment does not tell the server's next");
    expect(engine.receipts()[0]).to.include({ matched: 1, acted: 0 });
  });

  it('corrupts the TCP checksum and nothing else', () => {
    const { c } = new Wire(corruptChecksum(data())).open();
    const [effect] = c('PSH,ACK', { data: 'x' }).effects;
    const { segment: broken, isSound } = packetOf(effect);
    expect(isSound).to.equal(false);
    expect(broken.payload).to.deep.equal(Uint8Array.of(0x78));
  });

  it('truncates data, and leaves alone what is short enough', () => {
    const { c } = new Wire(truncate(data(), { toOctets: 3 })).open();
    const { segment: short, isSound } = packetOf(c('PSH,ACK', { data: 'abcdef' }).effects[0]);
    expect(new TextDecoder().decode(short.payload)).to.equal('abc');
    expect(isSound).to.equal(true);
    expect(c('PSH,ACK', { data: 'abc' }).marks[0]?.what).to.match(/^not truncated/);
  });

  it('injects a segment from either side, with the numbers that come next', () => {
    const wire = new Wire(
      inject({ flags: ['RST'] }, { on: data(), sender: 'server', id: 'a' }),
      inject({ flags: ['FIN', 'ACK'], seq: 'iss+1', payload: 'hi' }, { on: data(), afterMs: 4, id: 'b' }),
    ).open();
    const { effects, marks } = wire.c('PSH,ACK', { data: 'abc' });
    expect(effects.map(short)).to.deep.equal([
      'deliver 4 to server',
      'inject to client',
      'inject to server +4ms',
    ]);
    const { segment: reset, isSound } = packetOf(effects[1]);
    expect(isSound).to.equal(true);
    expect(flagsText(reset.flags)).to.equal('RST');
    expect(reset).to.include({ srcPort: 80, dstPort: 40000 });
    expect(seqDiff(reset.seq, seqNumber(wire.talk.iss.server))).to.equal(1);
    const { segment: finish } = packetOf(effects[2]);
    expect(seqDiff(finish.seq, seqNumber(wire.talk.iss.client))).to.equal(1);
    expect(seqDiff(finish.ack, seqNumber(wire.talk.iss.server))).to.equal(1);
    expect(marks.map(({ what }) => what)).to.deep.equal([
      'followed by an injected RST from the server',
      'followed by an injected FIN,ACK from the client',
    ]);
  });

  it('answers a SYN as RFC 9293 section 3.10.7.1 does: sequence number 0, acknowledging it', () => {
    const wire = new Wire(inject({ flags: ['RST', 'ACK'] }, { on: syn(), sender: 'server' }));
    const { segment: reset } = packetOf(wire.c('SYN').effects[1]);
    expect(reset.seq).to.equal(0);
    expect(seqDiff(reset.ack, seqNumber(wire.talk.iss.client))).to.equal(1);
  });

  it('replays the latest earlier segment that matches', () => {
    const { c, s } = new Wire(replay(syn(), { on: segment().from('server') }));
    expect(s('ACK', { seq: 9 }).marks[0]?.what).to.match(/^nothing replayed/);
    const [first] = c('SYN').effects;
    const { effects, marks } = s('SYN,ACK');
    expect(effects.map(short)).to.deep.equal(['deliver 3 to client', 'inject to server']);
    expect(packetOf(effects[1]).segment).to.deep.equal(packetOf(first).segment);
    expect(marks[0]?.what).to.equal('followed by #2 once more');
  });
});

describe('fault engine: several faults on one segment', () => {
  it('lets changes build on each other and delays add up', () => {
    const { c } = new Wire(
      delay(syn(), { byMs: 1, id: 'a' }),
      rewrite(syn(), { window: 7 }, { id: 'b' }),
      corruptChecksum(syn(), { id: 'c' }),
      rewrite(syn(), { ttl: 9 }, { id: 'd' }),
      delay(syn(), { byMs: 2, id: 'e' }),
      duplicate(syn(), { id: 'f' }),
    );
    const { effects, marks } = c('SYN');
    expect(effects.map(short)).to.deep.equal(['deliver 1 to server +3ms', 'deliver 1 to server +3ms']);
    const { segment: changed, isSound } = packetOf(effects[1]);
    expect(changed).to.include({ window: 7 });
    expect(changed.ip.ttl).to.equal(9);
    expect(isSound).to.equal(false);
    expect(marks.map(({ fault }) => fault)).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('lets a drop win over all but what is sent besides', () => {
    const { c, engine } = new Wire(
      delay(syn(), { byMs: 1, id: 'delay' }),
      inject({ flags: ['RST', 'ACK'] }, { on: syn(), sender: 'server', id: 'inject' }),
      drop(syn(), { id: 'drop' }),
      drop(syn(), { id: 'second drop' }),
      hold(syn(), { id: 'hold' }),
    );
    const { effects, marks } = c('SYN');
    expect(effects.map(short)).to.deep.equal(['drop 1', 'inject to client']);
    expect(marks.map(({ fault }) => fault)).to.deep.equal(['inject', 'drop']);
    expect(engine.receipts().map(({ matched, acted }) => `${matched}/${acted}`)).to.deep.equal([
      '1/0',
      '1/1',
      '1/1',
      '1/0',
      '1/0',
    ]);
  });

  it('keeps back what has been changed, delayed and duplicated, and lets one fault hold it', () => {
    const { c, engine } = new Wire(
      hold(syn(), { id: 'first' }),
      hold(syn(), { id: 'second' }),
      delay(syn(), { byMs: 5 }),
      duplicate(syn()),
    );
    expect(shorts(c('SYN'))).to.deep.equal(['hold 1']);
    expect(engine.release('second')).to.deep.equal([]);
    expect(engine.release('first').map(short)).to.deep.equal([
      'deliver 1 to server +5ms',
      'deliver 1 to server +5ms',
    ]);
  });

  it('counts ordinals on what came onto the wire, whatever other faults do', () => {
    const { c } = new Wire(drop(data().ordinal(1)), drop(data().ordinal(2))).open();
    expect(shorts(c('ACK', { data: 'a' }))).to.deep.equal(['drop 4']);
    expect(shorts(c('ACK', { data: 'b' }))).to.deep.equal(['drop 5']);
    expect(shorts(c('ACK', { data: 'c' }))).to.deep.equal(['deliver 6 to server']);
  });
});

describe('fault engine: the plan and the receipts', () => {
  it('acts no more often than it may, and counts what it matched all the same', () => {
    const { c, engine } = new Wire(drop(syn(), { times: 2, id: 'd' }));
    expect(shorts(c('SYN'))).to.deep.equal(['drop 1']);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['drop 2']);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['deliver 3 to server']);
    expect(engine.receipts()).to.deep.equal([
      { fault: 'd', text: 'd: drop syn twice', matched: 3, acted: 2, arrivals: [1, 2] },
    ]);
  });

  it('keeps a receipt of nothing for a fault that never matched', () => {
    const { engine } = new Wire(drop(fin())).open();
    expect(engine.receipts()[0]).to.deep.include({ matched: 0, acted: 0, arrivals: [] });
  });

  it('takes faults in and out, keeps the receipts, and releases what they held', () => {
    const { c, engine } = new Wire(drop(syn(), { id: 'd' }));
    c('SYN');
    engine.add(hold(syn(), { id: 'h' }));
    expect(engine.remove('d')).to.deep.equal([]);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['hold 2']);
    expect(engine.remove('h').map(short)).to.deep.equal(['deliver 2 to server']);
    expect(shorts(c('SYN', { seq: 0 }))).to.deep.equal(['deliver 3 to server']);
    expect(engine.receipts().map(({ fault, matched }) => `${fault} ${matched}`)).to.deep.equal([
      'd 1',
      'h 1',
    ]);
  });

  it('refuses two faults of one name and names that nobody has', () => {
    const engine = new FaultEngine([drop(syn())]);
    expect(() => engine.add(drop(syn()))).to.throw('two faults are called "drop syn"');
    expect(() => engine.add(drop(fin()), drop(fin()))).to.throw('two faults');
    expect(engine.receipts()).to.have.length(1);
    expect(() => engine.release('x')).to.throw('no fault is called "x": the plan has "drop syn"');
    expect(() => engine.remove('x')).to.throw('no fault is called "x"');
  });
});
