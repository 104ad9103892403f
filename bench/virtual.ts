/**
 * What the virtual lab costs in real time: boot and memory of its guests, virtual seconds per real second, one connection, and a
 * thousand TIME-WAITs, each judged. The harness, both kernels, the wire and the trace are in every figure.
 */
import { readdirSync, readFileSync } from 'node:fs';
import {
  controlBlockFreed,
  drop,
  findKernel,
  judge,
  type Kernel,
  KernelUnavailable,
  monitors,
  passesThrough,
  record,
  type Stage,
  syn,
  type Trace,
  timeWaitLasts,
  virtualLabs,
  World,
} from '../harness/index.js';
import type { Figure } from './figure.js';
import { median } from './statistics.js';

const VERSION = '6.12';
const PORT = 7000;
const CONNECTIONS = 200;
const CONNECTION_ROUNDS = 7;
const TIME_WAITS = 1000;
const TIME_WAITS_A_LAB = 50;
const TARGETS = { virtualPerReal: 20_000, connectionUs: 4000 } as const;

export async function virtualLab(): Promise<Figure[]> {
  let kernel: Kernel;
  try {
    kernel = findKernel(VERSION);
  } catch (error) {
    if (!(error instanceof KernelUnavailable)) throw error;
    return [{ name: `the virtual lab: skipped, ${error.message}`, value: '' }];
  }
  try {
    return [...(await boot(kernel)), await timeOut(), await connectionCost(), await timeWaits()];
  } finally {
    World.shared()[Symbol.dispose]();
  }
}

const openLab = virtualLabs({ client: VERSION, server: VERSION });

async function boot(kernel: Kernel): Promise<Figure[]> {
  const begunMs = performance.now();
  const trace = await record({ name: 'boot', openLab }, async () => {});
  const bootedMs = performance.now() - begunMs;
  const again: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const fromMs = performance.now();
    await record({ name: 'empty', openLab }, async () => {});
    again.push(performance.now() - fromMs);
  }
  const kib = World.shared()
    .pids()
    .map((pid) => residentKib(pid))
    .reduce((a, b) => a + b, 0);
  return [
    {
      name: `two guests (${trace.endpoints[0]?.stack ?? kernel.release}) booted, and a lab`,
      value: ms(bootedMs),
    },
    { name: 'memory of a guest', value: `${(kib / 1024 / World.shared().pids().length).toFixed(1)} MB` },
    { name: 'a lab between guests that run, empty, median of 20', value: ms(median(again)) },
  ];
}

/** Nobody hears the client: Linux tries for more than two minutes. */
async function timeOut(): Promise<Figure> {
  const rates: number[] = [];
  let virtualS = 0;
  for (let i = 0; i < 7; i += 1) {
    let realMs = 0;
    await record({ name: 'time-out', openLab, faults: [drop(syn())], limitMs: 400_000 }, async (stage) => {
      const fromNs = stage.clock.now();
      const fromMs = performance.now();
      await stage.client
        .connect({ ip: stage.ip('server'), port: PORT }, { withinMs: 300_000 })
        .catch(() => undefined);
      realMs = performance.now() - fromMs;
      virtualS = (stage.clock.now() - fromNs) / 1e9;
    });
    rates.push((virtualS * 1000) / realMs);
  }
  const rate = median(rates);
  return {
    name: `virtual seconds a real second, connect time-out of ${virtualS.toFixed(0)} s, median of 7`,
    value: rate.toFixed(0),
    target: { text: `>= ${TARGETS.virtualPerReal}`, isMet: rate >= TARGETS.virtualPerReal },
  };
}

async function connectionCost(): Promise<Figure> {
  const rounds: number[] = [];
  for (let i = 0; i < CONNECTION_ROUNDS; i += 1) rounds.push(await meanConnectionUs());
  const us = median(rounds);
  return {
    name: `a connection: handshake, 1 kB each way, close; mean of ${CONNECTIONS}, median of ${CONNECTION_ROUNDS} (first ${rounds[0]?.toFixed(0)})`,
    value: `${us.toFixed(0)} us`,
    target: { text: `<= ${TARGETS.connectionUs} us`, isMet: us <= TARGETS.connectionUs },
  };
}

async function meanConnectionUs(): Promise<number> {
  let us = 0;
  await record({ name: 'connections', openLab, limitMs: 3_600_000 }, async (stage) => {
    const listener = await stage.server.listen({ port: PORT });
    const fromMs = performance.now();
    for (let i = 0; i < CONNECTIONS; i += 1) {
      const client = await stage.client.connect(listener.local);
      const server = await listener.accept();
      await client.send(KILOBYTE);
      await server.receiveAll({ octets: KILOBYTE.length });
      await server.send(KILOBYTE);
      await client.receiveAll({ octets: KILOBYTE.length });
      await client.close();
      await server.receive();
      await server.close();
    }
    us = ((performance.now() - fromMs) * 1000) / CONNECTIONS;
  });
  return us;
}

const KILOBYTE = 'x'.repeat(1000);

async function timeWaits(): Promise<Figure> {
  const fromMs = performance.now();
  let virtualNs = 0;
  let judged = 0;
  for (let done = 0; done < TIME_WAITS; done += TIME_WAITS_A_LAB) {
    const trace = await record({ name: 'time-waits', openLab, limitMs: 24 * 3_600_000 }, async (stage) => {
      const fromNs = stage.clock.now();
      for (let i = 0; i < TIME_WAITS_A_LAB; i += 1) await closedAndGone(stage, i);
      virtualNs += stage.clock.now() - fromNs;
    });
    judged += judgeAll(trace);
  }
  const seconds = (performance.now() - fromMs) / 1000;
  return {
    name: `${judged} connections with their TIME-WAITs one after the other, each judged: ${(virtualNs / 3.6e12).toFixed(1)} h in`,
    value: `${seconds.toFixed(1)} s`,
  };
}

async function closedAndGone(stage: Stage, i: number): Promise<void> {
  const listener = await stage.server.listen({ port: PORT + i });
  const client = await stage.client.connect(listener.local);
  const server = await listener.accept();
  await client.close();
  await server.receive();
  await server.close();
  await listener.close();
  await stage.reaches('client', 'CLOSED', { withinMs: 100_000, local: client.local });
}

/** The number of connections whose TIME-WAIT was judged. Throws when one is not as it should be. */
function judgeAll(trace: Trace): number {
  let judged = 0;
  for (let flow = 1; flow <= TIME_WAITS_A_LAB; flow += 1) {
    const checks = [
      timeWaitLasts({ flow }),
      controlBlockFreed({ flow }),
      passesThrough('client', ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED'], { flow }),
    ];
    for (const { check, judgement } of judge(trace, checks))
      if (judgement.verdict !== 'pass' && judgement.verdict !== 'non-strict')
        throw new Error(`connection ${flow}: ${check}: ${judgement.verdict}: ${judgement.finding}`);
    judged += 1;
  }
  for (const { check, judgement } of judge(trace, monitors))
    if (judgement.verdict === 'fail') throw new Error(`${check}: ${judgement.finding}`);
  return judged;
}

/** Resident memory of a process and those it has started, without what they share. */
function residentKib(pid: number): number {
  const group = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && groupOf(Number(name)) === pid);
  return group
    .map((member) => /^Pss:\s+(\d+)/m.exec(readText(`/proc/${member}/smaps_rollup`))?.[1] ?? '0')
    .reduce((sum, kib) => sum + Number(kib), 0);
}

const groupOf = (pid: number): number => Number(readText(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[2]);

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

const ms = (value: number): string => `${value.toFixed(1)} ms`;
