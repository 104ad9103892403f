/** For this folder's tests: a network namespace of its own with its loopback up, and endpoints on it. */
import { type Clock, NANOS_PER_MS, RealClock } from '../clock/index.js';
import { AF_INET, check, libc, NetworkNamespace, SOCK_CLOEXEC, SOCK_DGRAM } from '../sys/index.js';
import type { CallLog, CallRecord } from './call-record.js';
import type { Connection, Endpoint, Listener } from './endpoint.js';
import { KernelEndpoint } from './kernel/kernel-endpoint.js';

const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x1;

export interface Place {
  readonly namespace: NetworkNamespace;
  readonly ip: string;
  readonly clock: Clock;
  readonly log: CallLog;
}

/** Makes the two endpoints; `free` ends what they need besides. */
export type Drive = (place: Place) => {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly free?: () => void;
};

export const driveKernel: Drive = (place) => ({
  client: new KernelEndpoint({ ...place, side: 'client' }),
  server: new KernelEndpoint({ ...place, side: 'server' }),
});

export class Loopback implements AsyncDisposable {
  readonly namespace = NetworkNamespace.create();
  readonly clock = new RealClock(process.hrtime.bigint());
  readonly calls: CallRecord[] = [];
  readonly ip: string;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly #free: () => void;

  constructor(ipVersion: 4 | 6, drive: Drive = driveKernel) {
    this.ip = ipVersion === 4 ? '127.0.0.1' : '::1';
    const request = new Uint8Array(40);
    request.set(new TextEncoder().encode('lo'));
    new DataView(request.buffer).setUint16(16, IFF_UP, true);
    const fd = this.namespace.run(() => check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket'));
    check(libc.ioctl(fd, SIOCSIFFLAGS, request), 'ioctl(SIOCSIFFLAGS)');
    libc.close(fd);
    const log = (record: CallRecord) => this.calls.push(record);
    const driven = drive({ namespace: this.namespace, ip: this.ip, clock: this.clock, log });
    this.client = driven.client;
    this.server = driven.server;
    this.#free = driven.free ?? (() => {});
  }

  /** An established connection, seen from both ends. */
  async pair(): Promise<{ listener: Listener; client: Connection; server: Connection }> {
    const listener = await this.server.listen();
    const client = await this.client.connect(listener.local);
    return { listener, client, server: await listener.accept() };
  }

  /** Looks again every few milliseconds: for what the kernel does by a timer or a softirq and tells nobody. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) {
      await new Promise<void>((resolve) => this.clock.at(this.clock.now() + 2 * NANOS_PER_MS, resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.#free();
    this.namespace[Symbol.dispose]();
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
