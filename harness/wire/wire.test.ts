import { expect } from 'chai';
import { data, delay, drop, duplicate, hold, inject, rewrite, syn, synAck } from '../fault/index.js';
import { packetFrom, segmentOf, TableTop } from './table-top.fixture.js';

describe('Wire', () => {
  it('hands each segment to the other side at once, octet for octet', () => {
    const table = new TableTop();
    const sent = table.c('SYN', { seq: 100 });
    expect(table.got.server).to.deep.equal([sent]);
    expect(table.got.client).to.deep.equal([]);
  });

  it('records a segment that passed with its facts and its delivery', () => {
    const table = new TableTop();
    table.clock.goTo(70);
    table.c('SYN', { seq: 100 });
    const [record] = table.book.records;
    expect(record).to.deep.include({ id: 1, atNs: 70, from: 'client', origin: 'endpoint', held: false });
    expect(record?.deliveries).to.deep.equal([{ atNs: 70, to: 'server' }]);
    expect(record?.facts?.roles).to.deep.equal(['syn']);
  });

  it('keeps what a fault drops from the other side, and marks it', () => {
    const table = new TableTop({ faults: [drop(syn().first(), { id: 'lost' })] });
    table.c('SYN', { seq: 100 });
    table.c('SYN', { seq: 100 });
    expect(table.got.server).to.have.length(1);
    expect(table.book.records[0]).to.deep.include({ deliveries: [], held: false });
    expect(table.book.records[0]?.faults).to.deep.equal([{ fault: 'lost', what: 'dropped' }]);
    expect(table.wire.receipts()[0]).to.deep.include({ fault: 'lost', acted: 1, arrivals: [1] });
  });

  it('hands over what a fault delays when its time has come, counted from its arrival', () => {
    const table = new TableTop({ faults: [delay(syn(), { byMs: 3 })] });
    table.c('SYN', { seq: 100 });
    table.clock.goTo(2_999_999);
    expect(table.got.server).to.have.length(0);
    table.clock.goTo(9_000_000);
    expect(table.got.server).to.have.length(1);
    expect(table.book.records[0]?.deliveries).to.deep.equal([{ atNs: 3_000_000, to: 'server' }]);
  });

  it('holds until released, then lets go in order, and says of the record that it was held', () => {
    const table = new TableTop({ faults: [hold(syn(), { id: 'held' })] });
    table.c('SYN', { seq: 100 });
    table.c('SYN', { seq: 100 });
    expect(table.book.records.map(({ held }) => held)).to.deep.equal([true, true]);
    table.clock.goTo(50);
    expect(table.wire.release('held')).to.equal(2);
    expect(table.got.server).to.have.length(2);
    expect(table.book.records.map(({ held }) => held)).to.deep.equal([false, false]);
    expect(table.book.records.map(({ deliveries }) => deliveries[0]?.atNs)).to.deep.equal([50, 50]);
  });

  it('lets go what a fault holds when the fault is taken out', () => {
    const table = new TableTop({ faults: [hold(syn(), { id: 'held' })] });
    table.c('SYN', { seq: 100 });
    table.wire.remove('held');
    expect(table.flagsAt('server')).to.deep.equal(['SYN']);
  });

  it('records each copy of a duplicated segment as a delivery of the one that arrived', () => {
    const table = new TableTop({ faults: [duplicate(syn(), { copies: 2, afterMs: 1 })] });
    table.c('SYN', { seq: 100 });
    table.clock.goTo(5_000_000);
    expect(table.got.server).to.have.length(3);
    expect(table.book.records).to.have.length(1);
    expect(table.book.records[0]?.deliveries).to.have.length(3);
    expect(table.book.records[0]?.deliveries.some(({ packet }) => packet !== undefined)).to.equal(false);
  });

  it('keeps the packet that was handed over where it is not the one that arrived', () => {
    const table = new TableTop({ faults: [rewrite(synAck(), { window: 7 })] });
    table.c('SYN', { seq: 100 });
    const sent = table.s('SYN,ACK', { seq: 500, ack: 101 });
    const [handed] = table.got.client;
    expect(handed).to.not.deep.equal(sent);
    const record = table.book.records[1];
    expect(record?.packet).to.deep.equal(sent);
    expect(record?.deliveries[0]?.packet).to.equal(handed);
  });

  it('gives a segment that a fault forges a record of its own, between those of the endpoints', () => {
    const table = new TableTop({
      faults: [inject({ flags: ['RST'] }, { on: synAck(), afterMs: 2, id: 'forged' })],
    });
    table.handshake();
    table.clock.goTo(2_000_000);
    const forged = table.book.records[3];
    expect(forged).to.deep.include({ id: 4, origin: 'fault', atNs: 2_000_000 });
    expect(forged?.faults).to.deep.equal([{ fault: 'forged', what: 'injected' }]);
    expect(forged?.deliveries).to.deep.equal([{ atNs: 2_000_000, to: 'client' }]);
  });

  it('passes what a scenario injects through the plan, as the other side’s', () => {
    const table = new TableTop({ faults: [drop(data().from('server'), { id: 'lost' })] });
    table.handshake();
    const packet = packetFrom('server', 'ACK', { seq: 501, ack: 101, payload: 'x' });
    table.wire.inject(packet, 'client');
    expect(table.book.records[3]).to.deep.include({ origin: 'user', from: 'server', deliveries: [] });
    expect(table.wire.receipts()[0]?.arrivals).to.deep.equal([4]);
  });

  it('does not take what a scenario injects for its side’s own sending', () => {
    const table = new TableTop();
    table.handshake();
    table.wire.inject(packetFrom('server', 'ACK', { seq: 501, ack: 101, payload: 'x' }), 'client');
    table.s('ACK', { seq: 501, ack: 101, payload: 'x' });
    expect(table.book.records[4]?.facts?.copy).to.equal(1);
  });

  it('lets what is not TCP pass untouched, without facts', () => {
    const table = new TableTop({ faults: [drop({}, { id: 'all' })] });
    const icmp = packetFrom('client', 'ACK').slice(0, 28);
    icmp[9] = 1;
    table.wire.arrive('client', icmp, 0);
    expect(table.got.server).to.deep.equal([icmp]);
    expect(table.book.records[0]).to.not.have.property('facts');
  });

  it('has the sender looked at when its segment has entered, and the receiver when it was handed over', () => {
    const looks: string[] = [];
    const table = new TableTop({
      faults: [drop(syn().first())],
      look: (side, segment) => looks.push(`${side} ${segment?.seq}`),
    });
    table.c('SYN', { seq: 100 });
    expect(looks).to.deep.equal(['client 100']);
    table.c('SYN', { seq: 100 });
    expect(looks.slice(1)).to.have.members(['client 100', 'server 100']);
  });

  it('tells of each packet that it has lost, as it arrived, and of no other', () => {
    const table = new TableTop({
      faults: [drop(syn().first()), delay(synAck(), { byMs: 1 }), hold(data(), { id: 'held' })],
    });
    const lost = table.c('SYN', { seq: 100 });
    table.handshake();
    table.c('PSH,ACK', { seq: 101, ack: 501, payload: 'abc' });
    expect(table.lost).to.deep.equal([lost]);
  });

  it('obeys faults that are added while it runs', () => {
    const table = new TableTop();
    table.c('SYN', { seq: 100 });
    table.wire.add(drop(syn(), { id: 'late' }));
    table.c('SYN', { seq: 100 });
    expect(table.got.server).to.have.length(1);
  });

  it('forgets what is under way when it is closed', () => {
    const table = new TableTop({ faults: [delay(syn(), { byMs: 1 })] });
    table.c('SYN', { seq: 100 });
    table.wire.close();
    table.clock.goTo(5_000_000);
    expect(table.got.server).to.have.length(0);
  });

  it('decodes what it hands over after a change with the right checksum', () => {
    const table = new TableTop({ faults: [rewrite(syn(), { window: 1 })] });
    table.c('SYN', { seq: 100 });
    expect(table.got.server.map((packet) => segmentOf(packet).window)).to.deep.equal([1]);
  });
});

describe('a wire with a latency', () => {
  const LATENCY_NS = 100_000;
  const passed = (table: TableTop) =>
    table.book.records.map(({ deliveries }) => deliveries.map(({ atNs }) => atNs));

  it('hands a segment over so much later than it came', () => {
    const table = new TableTop({ latencyNs: LATENCY_NS });
    table.c('SYN', { seq: 100 });
    expect(table.got.server).to.deep.equal([]);
    table.clock.goTo(LATENCY_NS);
    expect(passed(table)).to.deep.equal([[LATENCY_NS]]);
  });

  it('brings one packet after another to a side, and lets a delayed one be overtaken', () => {
    const table = new TableTop({
      latencyNs: LATENCY_NS,
      faults: [delay(syn(), { byMs: 1 })],
    });
    table.c('SYN', { seq: 100 });
    table.c('ACK', { seq: 101 });
    table.c('ACK', { seq: 101 });
    table.clock.goTo(2_000_000);
    expect(passed(table)).to.deep.equal([[1_000_000 + LATENCY_NS], [LATENCY_NS], [LATENCY_NS + 1]]);
  });
});
