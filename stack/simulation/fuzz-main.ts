/** `npm run fuzz`: a million hostile segments into each of the eleven states, and what became of them. `npm run fuzz -- 1000 7`: a thousand, of seed 7. */
import { fuzzHost } from './fuzz-host.js';
import { fuzzState } from './fuzz-states.js';
import { BLOCK_STATES } from './states.js';

const MILLION = 1_000_000;

function main([segmentsText, seedText]: readonly string[]): void {
  const segments = Number(segmentsText ?? MILLION);
  const seed = Number(seedText ?? Date.now() % 2 ** 31);
  process.stdout.write(`${segments} segments into each state, seed ${seed}\n`);
  const print = (state: string, figures: object, beganMs: number): void => {
    const words = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`);
    const seconds = ((Date.now() - beganMs) / 1000).toFixed(1);
    process.stdout.write(`${state.padEnd(12)} ${words.join(', ')}; ${seconds} s\n`);
  };
  for (const state of ['CLOSED', 'LISTEN'] as const) {
    const beganMs = Date.now();
    print(state, fuzzHost({ state, segments, seed }), beganMs);
  }
  for (const state of BLOCK_STATES) {
    const beganMs = Date.now();
    print(state, fuzzState({ state, segments, seed }), beganMs);
  }
}

main(process.argv.slice(2));
