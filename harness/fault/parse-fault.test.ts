import { expect } from 'chai';
import type { FaultDraft } from './action-grammar.js';
import { faultLine } from './fault-line.js';
import type { Match } from './match.js';
import { matchLine } from './match-line.js';
import { parseFault, parseMatch } from './parse-fault.js';

const drop = { kind: 'drop' } as const;

/** What is written, what it means, and how it is printed where that differs. */
const faults: readonly (readonly [string, FaultDraft, string?])[] = [
  ['drop final-ack once', { match: { role: 'final-ack' }, action: drop, times: 1 }],
  ['drop final-ack twice', { match: { role: 'final-ack' }, action: drop, times: 2 }],
  ['drop final-ack 3 times', { match: { role: 'final-ack' }, action: drop, times: 3 }],
  ['drop data 2 times', { match: { role: 'data' }, action: drop, times: 2 }, 'drop data twice'],
  ['  DROP   Final-ACK  ', { match: { role: 'final-ack' }, action: drop }, 'drop final-ack'],
  [
    'delay 2nd copy of server.fin by 300ms',
    { match: { role: 'fin', sender: 'server', copies: 2 }, action: { kind: 'delay', byMs: 300 } },
  ],
  [
    'delay syn by 1.5s',
    { match: { role: 'syn' }, action: { kind: 'delay', byMs: 1500 } },
    'delay syn by 1500ms',
  ],
  [
    'delay syn by 250us',
    { match: { role: 'syn' }, action: { kind: 'delay', byMs: 0.25 } },
    'delay syn by 0.25ms',
  ],
  ['hold client.syn', { match: { role: 'syn', sender: 'client' }, action: { kind: 'hold' } }],
  [
    'hold server.syn-ack until client.data',
    {
      match: { role: 'syn-ack', sender: 'server' },
      action: { kind: 'hold', until: { role: 'data', sender: 'client' } },
    },
  ],
  [
    'duplicate 3rd data from client',
    { match: { role: 'data', sender: 'client', nth: 3 }, action: { kind: 'duplicate' } },
    'duplicate 3rd client.data',
  ],
  [
    'duplicate syn into 3 after 10ms',
    { match: { role: 'syn' }, action: { kind: 'duplicate', copies: 2, afterMs: 10 } },
  ],
  [
    'reorder client.data 2 after 3 others',
    { match: { role: 'data', sender: 'client', nth: 2 }, action: { kind: 'reorder', after: 3 } },
    'reorder 2nd client.data after 3 others',
  ],
  ['reorder fin after 1 other', { match: { role: 'fin' }, action: { kind: 'reorder', after: 1 } }],
  [
    'rewrite window=0, flags=SYN,ACK, seq=iss+1 of syn-ack',
    {
      match: { role: 'syn-ack' },
      action: { kind: 'rewrite', set: { window: 0, flags: ['SYN', 'ACK'], seq: 'iss+1' } },
    },
    'rewrite seq=iss+1, window=0, flags=SYN,ACK of syn-ack',
  ],
  [
    'rewrite mss=536, timestamps=1:2, sackPermitted=on, windowScale=3, remove=sack,md5, payload="x" of syn',
    {
      match: { role: 'syn' },
      action: {
        kind: 'rewrite',
        set: {
          setOptions: [
            { kind: 'mss', mss: 536 },
            { kind: 'timestamps', tsVal: 1, tsEcr: 2 },
            { kind: 'sackPermitted' },
            { kind: 'windowScale', shift: 3 },
          ],
          removeOptions: ['sack', 'md5'],
          payload: 'x',
        },
      },
    },
  ],
  ['corrupt checksum of 1st data', { match: { role: 'data', nth: 1 }, action: { kind: 'corrupt-checksum' } }],
  [
    'corrupt fin',
    { match: { role: 'fin' }, action: { kind: 'corrupt-checksum' } },
    'corrupt checksum of fin',
  ],
  ['truncate data to 10 octets', { match: { role: 'data' }, action: { kind: 'truncate', toOctets: 10 } }],
  [
    'truncate data to 0',
    { match: { role: 'data' }, action: { kind: 'truncate', toOctets: 0 } },
    'truncate data to 0 octets',
  ],
  [
    'inject RST from server with seq=next-1, window=5 on 1st client.data after 10ms',
    {
      match: { role: 'data', sender: 'client', nth: 1 },
      action: {
        kind: 'inject',
        sender: 'server',
        segment: { flags: ['RST'], seq: 'next-1', window: 5 },
        afterMs: 10,
      },
    },
  ],
  ['inject segment on syn', { match: { role: 'syn' }, action: { kind: 'inject', segment: {} } }],
  ['inject none on syn', { match: { role: 'syn' }, action: { kind: 'inject', segment: { flags: [] } } }],
  [
    'replay client.syn on 2nd data',
    { match: { role: 'data', nth: 2 }, action: { kind: 'replay', of: { role: 'syn', sender: 'client' } } },
  ],
];

const matches: readonly (readonly [string, Match, string?])[] = [
  ['segment', {}],
  ['every segment', {}, 'segment'],
  ['client.segment', { sender: 'client' }],
  ['keep-alives', { role: 'keep-alive' }, 'keep-alive'],
  ['1st and 2nd copy of syn-ack', { role: 'syn-ack', copies: [1, 2] }],
  ['first copy of syn', { role: 'syn', copies: 1 }, '1st copy of syn'],
  ['1st, 2nd and 4th copy of fin', { role: 'fin', copies: [1, 2, 4] }],
  ['2nd to 4th copies of fin', { role: 'fin', copies: { from: 2, to: 4 } }, '2nd to 4th copy of fin'],
  ['3rd and later copy of fin', { role: 'fin', copies: { from: 3 } }],
  ['retransmission of fin', { role: 'fin', copies: { from: 2 } }, '2nd and later copy of fin'],
  ['every copy of 2nd data', { role: 'data', nth: 2, copies: 'every' }],
  ['2nd copy of 11th data', { role: 'data', nth: 11, copies: 2 }],
  ['the second data', { role: 'data', nth: 2 }, '2nd data'],
  ['2nd and 22nd data', { role: 'data', nth: [2, 22] }],
  ['first data', { role: 'data', atMost: 1 }],
  ['first 3 2nd copy of data', { role: 'data', atMost: 3, copies: 2 }],
  ['fin to server', { role: 'fin', sender: 'client' }, 'client.fin'],
  ['syn in flow 2,3', { role: 'syn', flow: [2, 3] }],
  ['segment with flags SYN,ACK', { flags: { all: ['SYN', 'ACK'] } }],
  ['segment with syn, ack', { flags: { all: ['SYN', 'ACK'] } }, 'segment with flags SYN,ACK'],
  [
    'segment with exactly RST without flags PSH',
    { flags: { none: ['PSH'], exactly: ['RST'] } },
    'segment without flags PSH with exactly RST',
  ],
  [
    'syn with option timestamps without option sack with mss 536..1460',
    { role: 'syn', options: { present: ['timestamps'], absent: ['sack'], mss: { from: 536, to: 1460 } } },
  ],
  ['pure-ack with window 0', { role: 'pure-ack', window: 0 }],
  ['data at seq 1.. at ack 1', { role: 'data', relSeq: { from: 1 }, relAck: 1 }],
  ['data covering 1000', { role: 'data', covers: 1000 }],
  [
    'data of 1..9 octets containing "say \\"x\\"" containing hex "0aff"',
    { role: 'data', payload: { length: { from: 1, to: 9 }, contains: 'say "x"', containsHex: '0aff' } },
  ],
  ['data after server.fin', { role: 'data', since: { event: { role: 'fin', sender: 'server' } } }],
  ['data after start', { role: 'data', since: {} }],
  ['data 300ms after fin', { role: 'data', since: { event: { role: 'fin' }, atLeastMs: 300 } }],
  ['data within 5ms of fin', { role: 'data', since: { event: { role: 'fin' }, atMostMs: 5 } }],
  [
    'data 1ms to 5ms after start from client',
    { role: 'data', sender: 'client', since: { atLeastMs: 1, atMostMs: 5 } },
    'client.data 1ms to 5ms after start',
  ],
  [
    'pure-ack acknowledging 2nd client.data',
    { role: 'pure-ack', acknowledges: { role: 'data', sender: 'client', nth: 2 } },
  ],
  ['fin but not 1st copy of fin', { role: 'fin', not: { role: 'fin', copies: 1 } }],
  ['fin but not (fin in flow 1)', { role: 'fin', not: { role: 'fin', flow: 1 } }],
  ['not data', { not: { role: 'data' } }],
  [
    'syn or fin and not data',
    { anyOf: [{ role: 'syn' }, { allOf: [{ role: 'fin' }, { not: { role: 'data' } }] }] },
  ],
  ['(syn or fin) and data', { allOf: [{ anyOf: [{ role: 'syn' }, { role: 'fin' }] }, { role: 'data' }] }],
  ['2nd (syn or fin) from client', { nth: 2, sender: 'client', anyOf: [{ role: 'syn' }, { role: 'fin' }] }],
  ['{"role":"fin"}', { role: 'fin' }, 'fin'],
  ['{"flow":[1]}', { flow: [1] }],
];

/** What is written, and what is said of it. */
const mistakes: readonly (readonly [string, string])[] = [
  [
    'drop finl-ack once',
    'in "drop finl-ack once", column 6: at "finl-ack": expected what to pick; did you mean "final-ack"?',
  ],
  ['drop synack', 'column 6: at "synack": expected what to pick; did you mean "syn-ack"?'],
  ['dorp fin', 'column 1: at "dorp": expected an action; did you mean "drop"?'],
  ['lose fin', 'column 1: at "lose": expected an action (drop, delay, hold,'],
  ['', 'column 1: it ends too early: expected an action (drop,'],
  ['drop', 'column 5: it ends too early: expected what to pick (syn, syn-ack,'],
  [
    'drop data fin',
    'column 11: at "fin": expected the end of the fault, "once" or "3 times", or another clause',
  ],
  ['drop data from clint', 'column 16: at "clint": expected a side; did you mean "client"?'],
  ['drop serve.fin', 'column 6: at "serve": expected a side; did you mean "server"?'],
  ['delay fin', 'column 10: it ends too early: expected "by" and a time such as 300ms'],
  ['delay fin by 300', 'column 14: at "300": expected a time such as 300ms or 1.5s'],
  ['drop 0th data', 'column 6: at "0th": expected a place counted from 1st'],
  ['drop data 0 times', 'expected "1 time" or more'],
  ['drop (syn or fin', 'column 17: it ends too early: expected ")"'],
  ['drop fin from client to server', 'expected something other than a second word on sender'],
  ['drop segment with flags SYM', 'column 25: at "SYM": expected a TCP flag; did you mean "SYN"?'],
  ['drop syn with optoin mss', 'column 15: at "optoin": expected what it is with; did you mean "option"?'],
  ['reorder data after 3', 'column 21: it ends too early: expected "others"'],
  ['rewrite windw=0 of data', 'column 9: at "windw": expected a field to set; did you mean "window"?'],
  [
    'rewrite ttl=300 of data',
    'in "rewrite ttl=300 of data", action.set.ttl: write a whole number from 0 to 255',
  ],
  ['rewrite ttl=1, ttl=2 of data', 'expected something other than a second ttl'],
  [
    'inject RST from server',
    'column 23: it ends too early: expected "on" and the segment that it comes behind',
  ],
  ['drop data of 5', 'column 15: it ends too early: expected "octets"'],
  ['drop data containing x', 'column 22: at "x": expected text in quotes'],
  ['drop data containing hex "0a0"', 'match.payload.containsHex: write pairs of hexadecimal digits'],
  ['drop data containing "x', 'column 22: """ has no place in a fault'],
  ['drop data; drop fin', 'column 10: ";" has no place in a fault'],
  ['drop {"role":"finn"}', 'column 6, role: "finn" is no role; did you mean "fin"?'],
  ['drop {"role" "fin"}', 'column 6: at "{"role" "fin"}": expected JSON'],
  ['{"match":{"role":"fin"}}', 'action: it is missing'],
  [`drop ${'('.repeat(5000)}`, 'expected no more than 100 levels'],
];

describe('the one-line form of faults', () => {
  for (const [line, draft, canonical = line] of faults) {
    it(`reads "${line}"`, () => {
      const fault = parseFault(line);
      expect(fault).to.deep.equal({ ...draft, id: canonical });
      expect(faultLine(fault)).to.equal(canonical);
    });
  }

  for (const [line, match, canonical = line] of matches) {
    it(`reads the match "${line}"`, () => {
      expect(parseMatch(line)).to.deep.equal(match);
      expect(matchLine(match)).to.equal(canonical);
      expect(parseMatch(canonical)).to.deep.equal(match);
    });
  }

  for (const [line, message] of mistakes) {
    it(`points at the mistake in "${line.slice(0, 40)}"`, () => {
      expect(() => parseFault(line))
        .to.throw(message)
        .with.property('name', 'PlanError');
    });
  }

  it('takes a label before the fault for its id, quoted where it is no single word', () => {
    expect(parseFault('lose-it: drop final-ack').id).to.equal('lose-it');
    expect(parseFault('"my fault": drop final-ack').id).to.equal('my fault');
    expect(faultLine(parseFault('lose-it:drop final-ack'))).to.equal('lose-it: drop final-ack');
    expect(faultLine(parseFault('"my fault": drop final-ack'))).to.equal('"my fault": drop final-ack');
  });

  it('reads a whole fault as JSON', () => {
    const fault = { match: { role: 'fin' }, action: { kind: 'drop' }, id: 'x' } as const;
    expect(parseFault(JSON.stringify(fault))).to.deep.equal(fault);
  });
});
