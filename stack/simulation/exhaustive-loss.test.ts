import { expect } from 'chai';
import { seqNumber } from '../../harness/segment/index.js';
import { type LossOptions, loseEverySubset } from './exhaustive-loss.js';
import { isLong } from './long-form.js';
import { STORIES } from './stories.js';

/** All that a short connection has. */
const SEGMENTS = 12;
const FEWER = 8;

interface Kind {
  readonly ipVersion: 4 | 6;
  readonly sack: boolean;
  readonly timestamps: boolean;
}

const KINDS: readonly Kind[] = Array.from({ length: 8 }, (_, i) => ({
  ipVersion: (i & 1) === 0 ? 4 : 6,
  sack: (i & 2) === 0,
  timestamps: (i & 4) === 0,
}));

const nameOf = ({ ipVersion, sack, timestamps }: Kind): string =>
  `IPv${ipVersion}, SACK ${sack ? 'on' : 'off'}, timestamps ${timestamps ? 'on' : 'off'}`;

/** Sequence numbers and timestamps pass 2^32 in the midst of each connection. */
const NEAR_WRAP = (local: { readonly port: number }) => ({
  iss: seqNumber(local.port === 80 ? -1000 : -300),
  tsOffset: seqNumber(-1500),
});

function options(story: keyof typeof STORIES, kind: Kind, segments: number): LossOptions {
  const { ipVersion, ...settings } = kind;
  return {
    story: STORIES[story],
    segments,
    ipVersion,
    settings,
    stack: { initialNumbers: NEAR_WRAP },
  };
}

describe('the loss of every subset of the first segments', function () {
  this.timeout(120_000);
  const names = Object.keys(STORIES) as (keyof typeof STORIES)[]; // the keys of a literal are its names
  for (const [i, story] of names.entries()) {
    // Each kind has its story here; the long form plays all of them.
    for (const kind of isLong ? KINDS : [KINDS[(i * 3) % KINDS.length] ?? KINDS[0]]) {
      if (kind === undefined) continue;
      const segments = isLong || i === 0 ? SEGMENTS : FEWER;
      it(`ends in delivered data and freed control blocks: ${segments}, ${story}, ${nameOf(kind)}`, () => {
        const { runs, delivered, timedOut } = loseEverySubset(options(story, kind, segments));
        expect(runs).to.equal(2 ** segments);
        expect(delivered + timedOut).to.equal(runs);
        // Eight SYNs in a row, or seven and the answer to one, among twelve segments.
        expect(timedOut).to.be.at.most(16);
      });
    }
  }
});
