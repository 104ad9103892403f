import { expect } from 'chai';
import { tally, type VerdictEntry, verdictLines } from './verdicts.js';

const entry = (
  verdict: VerdictEntry['judgement']['verdict'],
  finding = 'FIN repeated after 0.204 s',
): VerdictEntry => ({
  id: 'passive-closer-repeats-fin',
  sentence: 'The passive closer sends its FIN again until it is acknowledged.',
  requirements: [
    { id: 'NOID-30', section: '3.8.1', level: 'rule' },
    { id: 'MUST-13', section: '3.6.1', level: 'MUST' },
    { id: 'R6298-15', rfc: 6298, section: '5.5', level: 'MUST' },
  ],
  judgement: { verdict, finding },
});

describe('verdictLines', () => {
  it('gives symbol, verdict, sentence, finding and clauses', () => {
    expect(verdictLines([entry('pass')], { color: false, columns: 120 })).to.deep.equal([
      '  ✓ pass         The passive closer sends its FIN again until it is acknowledged.',
      '                 found: FIN repeated after 0.204 s',
      '                 RFC 9293 §3.8.1 NOID-30 (rule); RFC 9293 §3.6.1 MUST-13; RFC 6298 §5.5 R6298-15 (MUST)',
    ]);
  });

  it('folds at the width of the terminal, and does without UTF-8', () => {
    expect(verdictLines([entry('inconclusive')], { color: false, columns: 60, ascii: true })).to.deep.equal([
      '  ? inconclusive The passive closer sends its FIN again',
      '                 until it is acknowledged.',
      '                 found: FIN repeated after 0.204 s',
      '                 RFC 9293 section 3.8.1 NOID-30 (rule);',
      '                 RFC 9293 section 3.6.1 MUST-13;',
      '                 RFC 6298 section 5.5 R6298-15 (MUST)',
    ]);
  });

  it('colours the verdict where the terminal has colours', () => {
    const [first = ''] = verdictLines([entry('fail', '')], { color: true, columns: 120 });
    expect(first).to.include('\u001b[31m').and.to.include('✗ fail');
  });

  it('says why a deviation is known, and what is wrong with a pass that was not expected', () => {
    const known = { reason: 'it gives up early', link: 'tcp_timer.c' };
    const unexpected = 'an unexpected pass: take it off the list';
    const terminal = { color: false, columns: 120 };
    expect(verdictLines([{ ...entry('fail'), known }], terminal)).to.include.members([
      '  ✗ fail         The passive closer sends its FIN again until it is acknowledged.',
      '                 known: it gives up early (tcp_timer.c)',
    ]);
    expect(verdictLines([{ ...entry('pass'), unexpected }], terminal)).to.include.members([
      '  ✗ pass         The passive closer sends its FIN again until it is acknowledged.',
      '                 an unexpected pass: take it off the list',
    ]);
  });

  it('counts what is known, and what passes unexpectedly, by itself', () => {
    const known = { ...entry('fail'), known: { reason: 'so', link: 'there' } };
    const pass = { ...entry('pass'), unexpected: 'take it off' };
    expect(tally([known, entry('fail'), pass, known, entry('pass')])).to.equal(
      '1 pass, 1 pass (unexpected), 1 fail, 2 fail (known)',
    );
  });

  it('counts verdicts, the graver last', () => {
    expect(tally([entry('fail'), entry('pass'), entry('info'), entry('pass')])).to.equal(
      '2 pass, 1 info, 1 fail',
    );
  });
});
