import { expect } from 'chai';
import { readToxic, type Toxic, toServer } from './toxic.js';
import { parseToxic, toxicText } from './toxic-line.js';

/** A line, what it means, and what the server is told of its attributes. */
const LINES: readonly (readonly [string, Toxic, Readonly<Record<string, number>>])[] = [
  [
    'latency downstream latency 100ms jitter 10ms',
    { type: 'latency', stream: 'downstream', latencyMs: 100, jitterMs: 10 },
    { latency: 100, jitter: 10 },
  ],
  ['bandwidth upstream rate 10kBps', { type: 'bandwidth', stream: 'upstream', rateKBps: 10 }, { rate: 10 }],
  [
    'slow_close downstream delay 500ms',
    { type: 'slow_close', stream: 'downstream', delayMs: 500 },
    { delay: 500 },
  ],
  [
    'timeout upstream after 1.5s',
    { type: 'timeout', stream: 'upstream', timeoutMs: 1500 },
    { timeout: 1500 },
  ],
  ['reset_peer downstream', { type: 'reset_peer', stream: 'downstream' }, { timeout: 0 }],
  [
    'slicer downstream size 64 variation 8 delay 2ms',
    { type: 'slicer', stream: 'downstream', averageOctets: 64, variationOctets: 8, delayUs: 2000 },
    { average_size: 64, size_variation: 8, delay: 2000 },
  ],
  [
    'limit_data downstream bytes 100 toxicity 0.5 named half',
    { type: 'limit_data', stream: 'downstream', octets: 100, toxicity: 0.5, name: 'half' },
    { bytes: 100 },
  ],
  [
    'packet_loss upstream rate 0.25 correlation 0.1',
    { type: 'packet_loss', stream: 'upstream', lossRate: 0.25, correlation: 0.1 },
    { loss_rate: 0.25, correlation: 0.1 },
  ],
];

const REFUSED: readonly (readonly [string, string])[] = [
  [
    'slowclose downstream 5ms',
    'in "slowclose downstream 5ms": there is no toxic "slowclose": did you mean "slow_close"?',
  ],
  [
    'latency downstream',
    'in "latency downstream": latencyMs of latency: write a whole number from 0 to 86400000',
  ],
  [
    'latency downstream 5 minutes',
    'in "latency downstream 5 minutes": at "minutes": expected one of latency, jitter, toxicity, named',
  ],
  [
    'latency downstream 5ms jitter',
    'in "latency downstream 5ms jitter": it ends too early: expected a value behind "jitter"',
  ],
  [
    'latency downstream soon',
    'in "latency downstream soon": at "soon": expected one of latency, jitter, toxicity, named',
  ],
  [
    'latency latency soon',
    'in "latency latency soon": "soon" is no length of time: write 300ms, 1.5s, 2min or a number of milliseconds',
  ],
  [
    'bandwidth downstream 0',
    'in "bandwidth downstream 0": rateKBps of bandwidth: write a whole number from 1 to 86400000',
  ],
  [
    'limit_data downstream 10 toxicity 200%',
    'in "limit_data downstream 10 toxicity 200%": toxicity of limit_data: write a number from 0 to 1',
  ],
  ['down upstream', 'in "down upstream": at "upstream": expected nothing behind "down"'],
];

const messageOfThrown = (step: () => unknown): string => {
  try {
    step();
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe('a toxic', () => {
  for (const [line, toxic, attributes] of LINES) {
    it(`is read from a line and written again: ${line}`, () => {
      expect(parseToxic(line)).to.deep.equal(toxic);
      expect(toxicText(toxic)).to.equal(line);
    });
    it(`is told to the server in the server's words: ${line}`, () => {
      if (toxic.type === 'down') return expect.fail('it is no toxic of the server');
      expect(toServer(toxic).attributes).to.deep.equal(attributes);
    });
    it(`is the same as data: ${JSON.stringify(toxic)}`, () => {
      expect(readToxic(JSON.parse(JSON.stringify(toxic)))).to.deep.equal(toxic);
    });
  }

  it('works downstream, on all connections, under a name of its own unless told otherwise', () => {
    expect(toServer({ type: 'slow_close', delayMs: 5 })).to.deep.equal({
      name: 'slow_close_downstream',
      type: 'slow_close',
      stream: 'downstream',
      toxicity: 1,
      attributes: { delay: 5 },
    });
  });

  it('may leave out the word of its first attribute, and its stream', () => {
    expect(parseToxic('slow_close 500ms')).to.deep.equal({ type: 'slow_close', delayMs: 500 });
  });

  for (const [line, message] of REFUSED) {
    it(`is refused with one sentence: ${line}`, () => {
      expect(messageOfThrown(() => parseToxic(line))).to.equal(message);
    });
  }

  it('is refused as data with the name that was likely meant', () => {
    const data = { type: 'slow_close', delay: 500 };
    expect(messageOfThrown(() => readToxic(data, 'toxics[0]'))).to.equal(
      'toxics[0]: delayMs of slow_close: write a whole number from 0 to 86400000',
    );
    expect(
      messageOfThrown(() => readToxic({ type: 'slow_close', delayMs: 5, strem: 'upstream' }, 'toxics[0]')),
    ).to.equal('toxics[0]: slow_close has no "strem": did you mean "stream"?');
  });
});
