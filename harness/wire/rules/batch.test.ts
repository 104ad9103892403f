import { expect } from 'chai';
import { batched, lineAtFault } from './batch.js';

const iptables = (...words: readonly string[]) => ({ argv: ['iptables', '-w', '-t', 'mangle', ...words] });

describe('commands in a batch', () => {
  it('are one for each program in a row, quoted as iptables-restore reads', () => {
    const commands = [
      iptables('-N', 'a'),
      iptables('-A', 'a', '-m', 'bpf', '--bytecode', '1,6 0 0 0'),
      iptables('-A', 'a', '-m', 'comment', '--comment', 'say "x" \\'),
      { argv: ['ip6tables', '-w', '-t', 'mangle', '-N', 'a'] },
      { argv: ['tc', 'qdisc', 'show'] },
      iptables('-X', 'a'),
    ];
    expect(batched(commands)).to.deep.equal([
      {
        argv: ['iptables-restore', '-w', '--noflush'],
        input:
          '*mangle\n-N a\n-A a -m bpf --bytecode "1,6 0 0 0"\n-A a -m comment --comment "say \\"x\\" \\\\"\nCOMMIT\n',
      },
      { argv: ['ip6tables-restore', '-w', '--noflush'], input: '*mangle\n-N a\nCOMMIT\n' },
      { argv: ['tc', 'qdisc', 'show'] },
      { argv: ['iptables-restore', '-w', '--noflush'], input: '*mangle\n-X a\nCOMMIT\n' },
    ]);
  });

  it('are told apart by the line that failed', () => {
    const [batch] = batched([iptables('-N', 'a'), iptables('-N', 'b')]);
    expect(lineAtFault(batch ?? { argv: [] }, 'iptables-restore: line 3 failed')).to.equal('-N b');
    expect(lineAtFault({ argv: [] }, 'line 3 failed')).to.equal(undefined);
    expect(lineAtFault({ argv: [] }, 'no such thing')).to.equal(undefined);
  });
});
