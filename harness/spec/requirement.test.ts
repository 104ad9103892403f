import { expect } from 'chai';
import { CATALOGUE, clause, requirement } from './requirement.js';

describe('the requirement catalogue', () => {
  it('has the 119 ids of RFC 9293, its 52 rules without one, and 110 rows of other RFCs', () => {
    const of9293 = CATALOGUE.filter((row) => row.rfc === 9293);
    const rules = of9293.filter((row) => row.id.startsWith('NOID-'));
    expect(of9293.length - rules.length).to.equal(119);
    expect(rules).to.have.length(52);
    expect(CATALOGUE.length - of9293.length).to.equal(110);
  });

  it('has each id once', () => {
    expect(new Set(CATALOGUE.map((row) => row.id)).size).to.equal(CATALOGUE.length);
  });

  it('has no row with an empty field', () => {
    for (const row of CATALOGUE) {
      for (const field of ['id', 'section', 'level', 'paraphrase', 'setting', 'note'] as const) {
        expect(row[field], `${field} of ${row.id}`).to.not.equal('');
      }
      expect(row.rfc, row.id).to.be.within(1122, 9293);
    }
  });

  it('knows how binding each is', () => {
    expect(requirement('MUST-13').strength).to.equal('must');
    expect(requirement('MUST-65').level).to.equal('MUST NOT');
    expect(requirement('REC-1').strength).to.equal('should');
    expect(requirement('NOID-30').strength).to.equal('rule');
    expect(requirement('R1122-05').strength).to.equal('info');
  });

  it('names the nearest ids when there is none of that name', () => {
    expect(() => requirement('MUST-113')).to.throw(/no requirement is called "MUST-113".*MUST-13/);
    expect(() => requirement('noid31')).to.throw(/NOID-31/);
  });
});

describe('a clause', () => {
  for (const [id, text] of [
    ['NOID-31', 'RFC 9293 §3.10.7.4 (NOID-31)'],
    ['NOID-18', 'RFC 9293 §3.10.7.4, §3.5.3 (NOID-18)'],
    ['R6298-15', 'RFC 6298 §5.5 (R6298-15)'],
    ['R2018-08', 'RFC 2018 §5, §5.1, §8 (R2018-08)'],
    ['R5961-07', 'RFC 5961 errata 4845/4772 (R5961-07)'],
  ] as const) {
    it(`of ${id} reads ${text}`, () => expect(clause(id)).to.equal(text));
  }
});
