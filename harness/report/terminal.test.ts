import { expect } from 'chai';
import { clip, fold, terminalOf } from './terminal.js';

describe('terminalOf', () => {
  const tty = { isTTY: true, columns: 100 };

  it('has colours on a terminal, unless NO_COLOR or a dumb terminal forbids them', () => {
    expect(terminalOf(tty, { LANG: 'C.UTF-8' })).to.deep.equal({ color: true, columns: 100, ascii: false });
    expect(terminalOf(tty, { NO_COLOR: '1' }).color).to.equal(false);
    expect(terminalOf(tty, { NO_COLOR: '' }).color).to.equal(true);
    expect(terminalOf(tty, { TERM: 'dumb' }).color).to.equal(false);
    expect(terminalOf({}, {})).to.deep.equal({ color: false, columns: 120, ascii: true });
  });

  it('takes COLUMNS where the stream has no width, if it is a number', () => {
    expect(terminalOf({}, { COLUMNS: '90' }).columns).to.equal(90);
    expect(terminalOf({}, { COLUMNS: 'wide' }).columns).to.equal(120);
    expect(terminalOf({}, { COLUMNS: '-4' }).columns).to.equal(120);
  });

  it('believes the locale about UTF-8, in the order of setlocale', () => {
    expect(terminalOf(tty, { LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' }).ascii).to.equal(true);
    expect(terminalOf(tty, { LC_ALL: '', LC_CTYPE: 'de_DE.utf8', LANG: 'C' }).ascii).to.equal(false);
  });
});

describe('text', () => {
  it('is clipped and folded', () => {
    expect(clip('ESTABLISHED', 20, '…')).to.equal('ESTABLISHED');
    expect(clip('SYN-RECEIVED', 5, '…')).to.equal('SYN-…');
    expect(fold('one two  three', 7)).to.deep.equal(['one two', 'three']);
  });
});
