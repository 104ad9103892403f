import { expect } from 'chai';
import { Assembler, bytecode } from './cbpf.js';
import { runProgram } from './cbpf-machine.fixture.js';

describe('the assembler of classic BPF', () => {
  it('writes what iptables and tc read', () => {
    const program = new Assembler()
      .add('ld byte', 9)
      .jump('jeq', 6, { no: 'other' })
      .add('ret', 0xffff_ffff)
      .label('other')
      .add('ret', 0)
      .assemble();
    expect(bytecode(program)).to.equal('4,48 0 0 9,21 0 1 6,6 0 0 4294967295,6 0 0 0');
  });

  for (const [what, octet, returned] of [
    ['what holds', 7, 1],
    ['what does not', 8, 2],
  ] as const)
    it(`jumps over more than 255 instructions for ${what}`, () => {
      const asm = new Assembler().add('ld byte', 0).jump('jeq', 7, { yes: 'far', no: 'farther' });
      for (let i = 0; i < 300; i += 1) asm.add('add imm', 1);
      asm.label('far').add('ret', 1);
      for (let i = 0; i < 300; i += 1) asm.add('add imm', 1);
      const program = asm.label('farther').add('ret', 2).assemble();
      expect(runProgram(program, Uint8Array.of(octet))).to.equal(returned);
    });

  it('goes on with the next instruction behind a far jump that does not hold', () => {
    const asm = new Assembler().add('ld byte', 0).jump('jeq', 7, { yes: 'far' }).add('ret', 3);
    for (let i = 0; i < 300; i += 1) asm.add('add imm', 1);
    const program = asm.label('far').add('ret', 1).assemble();
    expect(runProgram(program, Uint8Array.of(0))).to.equal(3);
    expect(runProgram(program, Uint8Array.of(7))).to.equal(1);
  });

  it('refuses a label that is not there, and one that lies behind', () => {
    expect(() => new Assembler().goto('nowhere').assemble()).to.throw('no label is called "nowhere"');
    expect(() => new Assembler().label('back').goto('back').assemble()).to.throw('jumps forward only');
  });
});
