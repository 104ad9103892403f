/** How long a lab takes to open: two namespaces with their links, and a wire. */
import { type NetnsLab, openNetnsLab } from '../harness/lab/index.js';
import type { Figure } from './figure.js';
import { median, NANOS_PER_MS, nowNs } from './statistics.js';

const LABS = 100;
const WARM_UP = 10;
const TARGET_MS = 4;

export async function labSetup(): Promise<Figure[]> {
  const first = await openMany(1);
  await openMany(WARM_UP);
  const open = await openMany(LABS);
  const cycle = await openAndClose(LABS);
  const setupMs = median(open);
  const cycleMs = median(cycle);
  return [
    { name: 'the first lab of a process, with its thread', value: ms(median(first)) },
    {
      name: `a lab, median of ${LABS} open at once`,
      value: ms(setupMs),
      target: { text: `<= ${TARGET_MS} ms`, isMet: setupMs <= TARGET_MS },
    },
    {
      name: `a lab, median of ${LABS} opened and closed one by one`,
      value: ms(cycleMs),
      target: { text: `<= ${TARGET_MS} ms`, isMet: cycleMs <= TARGET_MS },
    },
  ];
}

async function openMany(count: number): Promise<number[]> {
  const labs: NetnsLab[] = [];
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const beginNs = nowNs();
    labs.push(await openNetnsLab({ ipVersion: i % 2 === 0 ? 4 : 6 }));
    times.push((nowNs() - beginNs) / NANOS_PER_MS);
  }
  for (const lab of labs) await lab[Symbol.asyncDispose]();
  return times;
}

async function openAndClose(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const beginNs = nowNs();
    const lab = await openNetnsLab({ ipVersion: i % 2 === 0 ? 4 : 6 });
    times.push((nowNs() - beginNs) / NANOS_PER_MS);
    await lab[Symbol.asyncDispose]();
  }
  return times;
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
