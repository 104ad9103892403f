/** Scenarios for the tests of the pool: a module such as its threads load. */
import { NANOS_PER_SECOND } from '../clock/index.js';
import { World } from '../lab/index.js';
import type { Scenario, Stage } from './scenario.js';

/** Connections, one a second. */
async function connections(stage: Stage, seconds: number): Promise<void> {
  const { client, server, clock } = stage;
  const listener = await server.listen();
  for (let second = 0; second < seconds; second += 1) {
    const opened = await client.connect(listener.local);
    const accepted = await listener.accept();
    await opened.send('ping');
    await accepted.receive();
    await opened.abort();
    await accepted.abort();
    await new Promise<void>((resolve) => clock.at(clock.now() + NANOS_PER_SECOND, resolve));
  }
}

const scenario = (id: string, play: (stage: Stage) => Promise<void>): Scenario => ({
  id,
  title: `ensures nothing: ${id}`,
  limitMs: 60_000,
  checks: [],
  play,
});

/** Those of this thread. */
const guests = (): readonly number[] => World.shared().pids();

export const allScenarios: readonly Scenario[] = [
  scenario('pool/steady', (stage) => connections(stage, 30)),
  scenario('pool/kills-a-guest', async (stage) => {
    await connections(stage, 3);
    process.kill(-(guests()[0] ?? 0), 'SIGKILL');
    await connections(stage, 30);
  }),
  scenario('pool/ends-its-thread', async (stage) => {
    await connections(stage, 3);
    process.exit(7);
  }),
  scenario('pool/breaks-its-thread', async (stage) => {
    await connections(stage, 3);
    setImmediate(() => {
      throw new Error('a mistake that is nobody’s');
    });
    await connections(stage, 30);
  }),
];
