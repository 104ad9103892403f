import { expect } from 'chai';
import { lifeOfNumber, lifeOfTag, ownerNumber, ownTag } from './tag-owner.js';

/** With a pid that no process can have. */
const ofNobody = (tag: string): string =>
  `${tag.slice(0, 'lastack-pSSSNN'.length)}${(2 ** 22 - 1).toString(36)}`;

describe("the owner in a rule's tag", () => {
  const own = ownTag();
  const number = ownerNumber(own) ?? 0;

  it('leaves room for what chains have behind it', () => {
    expect(`${ofNobody(own)}-99-m-do`.length).to.be.at.most(28);
  });

  for (const name of [own, `${own}-1-pick`, `${own}:from-client`, own.replaceAll('-', '_')])
    it(`lives while this process does: ${name.slice(own.length) || 'the tag alone'}`, () => {
      expect(lifeOfTag(name)).to.equal('living');
    });

  it('has ended with its process, or when the pid is another one now', () => {
    expect(lifeOfTag(ofNobody(own))).to.equal('ended');
    const [, head = '', start = '', tail = ''] = /^(lastack-p)(.{3})(.*)$/.exec(own) ?? [];
    const other = start === '000' ? '001' : '000';
    expect(lifeOfTag(`${head}${other}${tail}`)).to.equal('ended');
  });

  it('cannot be told from another pid namespace, and is nobody where a person applies the rules', () => {
    const [, head = '', namespace = '', tail = ''] = /^(lastack-p.{3})(..)(.*)$/.exec(own) ?? [];
    expect(lifeOfTag(`${head}${namespace === '00' ? '01' : '00'}${tail}`)).to.equal('unknown');
    for (const name of ['lastack', 'lastack-1', 'lastack-1-pick', 'theirs']) {
      expect(lifeOfTag(name)).to.equal('unknown');
      expect(ownerNumber(name)).to.equal(undefined);
    }
  });

  it('is a number for tc, of 31 bits', () => {
    expect(lifeOfNumber(number)).to.equal('living');
    const gone = ownerNumber(ofNobody(own)) ?? 0;
    expect(gone).to.be.within(1, 2 ** 31 - 1);
    expect(lifeOfNumber(gone)).to.equal('ended');
    expect(lifeOfNumber(number % 16 === 15 ? number - 1 : number + 1)).to.equal('unknown');
    expect(lifeOfNumber(1)).to.equal('unknown');
  });
});
