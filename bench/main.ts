/**
 * `npm run bench`: what the labs and the own TCP cost, each beside what it stands in for, measured in the same run; `npm run bench --
 * virtual`, `-- netns`, `-- attached`, `-- containers`, `-- stack` and `-- connections` measure one. Ends with 1 when a target is missed. Run it on an idle machine: the
 * ratios suffer less from company than the figures, but they do.
 */
import { availableParallelism, loadavg } from 'node:os';
import { netnsCapability, reexecInUserNamespace } from '../harness/lab/index.js';
import { attachedWire } from './attached.js';
import { stackConnections } from './connections.js';
import { betweenContainers } from './containers.js';
import { type Figure, printTable } from './figure.js';
import { labSetup } from './lab-setup.js';
import { ownTcp } from './own-tcp/index.js';
import { roundTrip } from './round-trip.js';
import { segmentCost } from './segment-cost.js';
import { bulk, hundredConnections } from './throughput.js';
import { virtualLab } from './virtual.js';

const MISSED = 1;
const ENVIRONMENT = 3;

const PARTS = {
  netns: [segmentCost, labSetup, roundTrip, hundredConnections, bulk],
  virtual: [virtualLab],
  attached: [attachedWire],
  containers: [betweenContainers],
  stack: [ownTcp],
  connections: [stackConnections],
} as const;

const ALL = ['netns', 'virtual', 'attached', 'containers', 'stack', 'connections'] as const;

async function main(): Promise<number> {
  const names = process.argv.slice(2).filter((name): name is keyof typeof PARTS => name in PARTS);
  const wanted = names.length === 0 ? ALL : names;
  const { way, sentence } = netnsCapability();
  const takesNetns = wanted.some((name) => name === 'netns' || name === 'attached' || name === 'stack');
  if (takesNetns && way === 'user-namespace') return reexecInUserNamespace(process.argv.slice(1));
  if (takesNetns && way === 'none') {
    process.stderr.write(`${sentence}\n`);
    return ENVIRONMENT;
  }
  const busy = loadavg()[0] ?? 0;
  if (busy > 0.5)
    process.stdout.write(`others keep ${busy.toFixed(1)} of ${availableParallelism()} cores busy\n`);
  const figures: Figure[] = [];
  for (const part of wanted.flatMap((name) => PARTS[name])) figures.push(...(await part()));
  printTable(figures);
  const missed = figures.filter(({ target }) => target?.isMet === false);
  if (missed.length === 0) return 0;
  process.stdout.write(`missed: ${missed.map(({ name }) => name.trim()).join('; ')}\n`);
  return MISSED;
}

process.exitCode = await main();
