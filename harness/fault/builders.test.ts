import { expect } from 'chai';
import { data, delay, drop, fin, finalAck, hold, inject, not, segment, syn } from './builders.js';
import { MatchBuilder } from './match-builder.js';
import { matchLine } from './match-line.js';
import { matchSchema } from './schema.js';

describe('builders', () => {
  it('make plain data, which JSON, the schema and a thread take as it is', () => {
    const built = finalAck().from('client').first();
    const plain = { role: 'final-ack', sender: 'client', atMost: 1 };
    expect(JSON.parse(JSON.stringify(built))).to.deep.equal(plain);
    expect(structuredClone(built)).to.deep.equal(plain);
    expect(matchSchema.parse(built)).to.deep.equal(plain);
  });

  it('make faults without builders in them', () => {
    const fault = hold(syn().or(fin().butNot(data())), { until: not(syn()) });
    expect(fault.match).not.to.be.instanceOf(MatchBuilder);
    expect(fault).to.deep.equal({
      id: 'hold syn or fin but not data until not syn',
      match: { anyOf: [{ role: 'syn' }, { role: 'fin', not: { role: 'data' } }] },
      action: { kind: 'hold', until: { not: { role: 'syn' } } },
    });
  });

  it('leave the match that they narrow as it was', () => {
    const any = fin();
    any.from('server').copy(2);
    expect({ ...any }).to.deep.equal({ role: 'fin' });
  });

  it('keep what was said of flags and options before', () => {
    const match = segment()
      .withFlags('SYN')
      .withoutFlags('ACK')
      .withOptions('mss')
      .withOptionValues({ mss: 1 });
    expect({ ...match }).to.deep.equal({
      flags: { all: ['SYN'], none: ['ACK'] },
      options: { present: ['mss'], mss: 1 },
    });
  });

  it('are printed as what they mean', () => {
    expect(matchLine(finalAck().from('client').first())).to.equal('first client.final-ack');
    expect(matchLine(syn().or(fin()))).to.equal('syn or fin');
  });

  it('call a fault by its line, or by the id it is given', () => {
    expect(drop(finalAck(), { times: 1 }).id).to.equal('drop final-ack once');
    expect(delay(fin().from('server').copy(2), { byMs: 300 }).id).to.equal(
      'delay 2nd copy of server.fin by 300ms',
    );
    expect(drop(finalAck(), { id: 'mine' }).id).to.equal('mine');
    expect(inject({ flags: ['RST'] }, { on: data().ordinal(2).everyCopy(), sender: 'server' }).id).to.equal(
      'inject RST from server on every copy of 2nd data',
    );
  });
});
