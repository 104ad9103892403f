import fc from 'fast-check';
import { isLong } from './long-form.js';
import { arbitraryRun, play } from './random-run.js';

/** `seed:path` of a run that failed, to play that one again. */
const REPLAYED = process.env.LASTACK_REPLAY?.split(':');
const RUNS = isLong ? 20_000 : 250;

describe('runs at random', function () {
  this.timeout(isLong ? 3_600_000 : 120_000);
  const [seedText, ...path] = REPLAYED ?? [];
  const seed = Number(seedText ?? (isLong ? Date.now() % 2 ** 31 : 20_261_128));

  it(`deliver all, or end as a program would have it, and leave nothing: ${RUNS} of seed ${seed}`, () => {
    const details = fc.check(
      fc.property(arbitraryRun, (plan) => {
        play(plan);
      }),
      {
        seed,
        numRuns: RUNS,
        ...(path.length > 0 ? { path: path.join(':'), endOnFailure: true } : {}),
      },
    );
    if (!details.failed) return;
    const again = `LASTACK_REPLAY=${details.seed}:${details.counterexamplePath} npm run simulate`;
    const { errorInstance: error } = details;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${fc.defaultReportMessage(details)}\n\n${why}\n\nTo play it again: ${again}`);
  });
});
