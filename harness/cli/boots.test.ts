/** Guests are processes: what is left of them when the command ends, is interrupted or killed at any moment is nothing. */
import { expect } from 'chai';
import { Random } from '../segment/index.js';
import { type Life, live, needsKernel, type Outcome, ordinaryCache, REPRO, RUN } from './boots.fixture.js';
import { needsOrdinaryUser, ORDINARY } from './spawned.fixture.js';

/** With two guests at least in each. */
const LIVES = Number(process.env.LASTACK_LIVES ?? 50);
/** Of five lives so many are ended from outside. */
const ENDED_OF_FIVE = 2;
/** Side by side. */
const AT_ONCE = 2;
const SEED = Number(process.env.LASTACK_SEED ?? Math.floor(Math.random() * 2 ** 32));
const ENDS = ['guest', 'SIGKILL', 'SIGINT'] as const;

function lives(random: Random, typicalMs: number): readonly Life[] {
  return Array.from({ length: LIVES }, (_, i): Life => {
    if (i % 5 >= ENDED_OF_FIVE) return { command: REPRO };
    const from = random.pick<NonNullable<Life['from']>>(['start', 'first guest', 'first guest']);
    // About what it takes until there are guests, and about what they then live.
    const atMs = random.below(Math.ceil(typicalMs * (from === 'start' ? 1 : 0.4)));
    return { command: random.pick([REPRO, REPRO, RUN]), end: random.pick(ENDS), from, atMs };
  });
}

interface Lived {
  readonly life: Life;
  readonly outcome: Outcome;
}

/** One that is over before its end comes is lived again, for a shorter time. */
async function liveAsPlanned(life: Life): Promise<Lived> {
  const outcome = await live(life);
  const isTooLate = outcome.code === 0 && life.end !== 'guest';
  const isMissed = life.end !== undefined && (!outcome.wasEnded || isTooLate);
  if (!isMissed || wrong(life, outcome) !== undefined) return { life, outcome };
  return liveAsPlanned({ ...life, atMs: Math.floor((life.atMs ?? 0) / 2) });
}

/** What is wrong with how a life ended; undefined: nothing. */
function wrong(
  { command, end }: Life,
  { code, signal, stderr, left, wasEnded }: Outcome,
): string | undefined {
  if (left.length > 0) return `left behind: ${left.join(', ')}`;
  const ending = `ended with ${code ?? signal}: ${stderr}`;
  // What ends it may come when it has done all that it had to do.
  if (code === 0) return undefined;
  if (!wasEnded) return ending;
  switch (end) {
    case 'guest': {
      if (command === RUN) return code === 1 ? undefined : ending;
      const isTold = TOLD.test(stderr);
      return code === 3 && isTold ? undefined : ending;
    }
    case 'SIGKILL':
      return signal === 'SIGKILL' ? undefined : ending;
    default:
      // Before it has begun to listen to signals it ends by the signal itself.
      return code === 130 || signal === 'SIGINT' ? undefined : ending;
  }
}

const TOLD = /^lastack: the guest linux@\S+ (client|server) died: its process was ended by SIGKILL/;

describe('what the command leaves behind in the virtual lab', () => {
  before(needsKernel);

  it(`is nothing after ${LIVES} lives, of which ${(LIVES * ENDED_OF_FIVE) / 5} are ended at random moments (seed ${SEED})`, async function () {
    this.timeout(LIVES * 10_000);
    const typical = await Promise.all(Array.from({ length: AT_ONCE }, () => live({ command: REPRO })));
    const waiting = [...lives(new Random(SEED), Math.min(...typical.map(({ tookMs }) => tookMs)))];
    const lived: Lived[] = [];
    const liveOn = async (): Promise<void> => {
      for (let life = waiting.shift(); life !== undefined; life = waiting.shift())
        lived.push(await liveAsPlanned(life));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, liveOn));
    const faults = lived.flatMap(({ life, outcome }) => {
      const what = wrong(life, outcome);
      return what === undefined ? [] : [`${life.command[0]}, ${endText(life)}: ${what}`];
    });
    expect(faults, `seed ${SEED}`).to.deep.equal([]);
    const ends = lived.filter(({ outcome }) => outcome.wasEnded);
    expect(ends.length).to.equal(Math.floor(LIVES / 5) * ENDED_OF_FIVE);
    expect(ends.filter(({ outcome }) => outcome.guests > 0)).not.to.be.empty;
    if (process.env.LASTACK_LIVES !== undefined) process.stdout.write(`${table(lived)}\n`);
  });

  for (const [end, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    it(`is nothing a second after ${end} in the middle of a run on all cores`, async () => {
      const outcome = await live({ command: ['run'], end, from: 'first guest', atMs: 1000 });
      expect(outcome.left).to.deep.equal([]);
      expect(outcome.code).to.equal(code);
      expect(outcome.lingeredMs).to.be.lessThan(1000);
    });

  it('is nothing of an ordinary user, who plays as root does', async function () {
    needsOrdinaryUser.call(this);
    const cache = ordinaryCache();
    try {
      const own = { command: REPRO, uid: ORDINARY, cache: cache.path } as const;
      const { stderr, stdout, code } = await live(own);
      expect({ stderr, code }).to.deep.equal({ stderr: '', code: 0 });
      expect(stdout).to.match(/^verdict: (pass|non-strict) /m);
      for (const end of ENDS) {
        const life = { ...own, end, from: 'first guest', atMs: 100 } as const;
        expect(wrong(life, await live(life)), end).to.equal(undefined);
      }
    } finally {
      cache.remove();
    }
  });
});

const endText = ({ end, from = 'start', atMs }: Life): string =>
  `${end ?? 'nothing'} ${atMs} ms after its ${end === 'guest' ? 'first guest' : from}`;

/** For people who asked for a number of lives. */
function table(lived: readonly Lived[]): string {
  const ends = lived.filter(({ outcome }) => outcome.wasEnded);
  const rows = ends.map(({ life, outcome: { guests, code, signal, lingeredMs, left } }) =>
    [
      life.command[0],
      endText(life),
      `${guests} guests`,
      `exit ${code ?? signal}`,
      `all gone after ${Math.round(lingeredMs)} ms`,
      `${left.length} left`,
    ].join(', '),
  );
  const guests = lived.reduce((sum, { life }) => sum + (life.command === RUN ? 4 : 2), 0);
  return [...rows, `${lived.length} lives, about ${guests} guests, ${ends.length} ended from outside`].join(
    '\n',
  );
}
