import { expect } from 'chai';
import { UsageError } from './exit.js';
import { targetAndPort, targetName } from './target-name.js';

describe('what is attached to, by name', () => {
  for (const [text, name] of [
    ['1234', { kind: 'process', pid: 1234 }],
    ['pid:1234', { kind: 'process', pid: 1234 }],
    ['web-1', { kind: 'named', name: 'web-1' }],
    ['shop/web', { kind: 'named', name: 'shop/web' }],
    ['0123abcd', { kind: 'named', name: '0123abcd' }],
    ['container:1234', { kind: 'named', name: '1234', as: 'container' }],
    ['service:web', { kind: 'named', name: 'web', as: 'service' }],
  ] as const)
    it(`"${text}" is a ${name.kind}`, () => {
      expect(targetName(text)).to.deep.equal(name);
    });

  for (const [text, named] of [
    ['', /the target has no name/],
    ['container:', /"container:" names nothing/],
    ['pid:nginx', /"nginx" is no process id/],
  ] as const)
    it(`"${text}" is refused with a sentence`, () => {
      expect(() => targetName(text)).to.throw(UsageError, named);
    });

  it('has a port behind it where a scenario is played', () => {
    expect(targetAndPort('shop/web:80')).to.deep.equal({
      name: { kind: 'named', name: 'shop/web' },
      port: 80,
    });
    expect(targetAndPort('container:12:80').name).to.deep.equal({
      kind: 'named',
      name: '12',
      as: 'container',
    });
  });

  for (const text of ['web', 'web:', ':80', 'web:0', 'web:65536', 'web:http'])
    it(`"${text}" is refused as a target with a port`, () => {
      expect(() => targetAndPort(text)).to.throw(UsageError, /such as web:80/);
    });
});
