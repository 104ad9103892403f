/**
 * The main thread's side of the wire's thread. It starts with the first lab, serves all labs of the process, never keeps
 * the process from ending, and ends with it.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { check, libc, monotonicNs, NetworkNamespace, SOCK_CLOEXEC, SOCK_NONBLOCK } from '../../sys/index.js';
import { PendingCalls } from '../pending-calls.js';
import { OwnThread } from './own-thread.js';
import { Rtnetlink } from './rtnetlink.js';
import { writeIfThere } from './settings.js';
import { PORT_COUNT, portFor } from './thread/packet-port.js';
import type { Answer, Command, OpenWire, Report, Request, ThreadOptions } from './thread/protocol.js';
import { unpackRecords } from './thread/record-pack.js';

/** Every link has this address at its near end, so that none needs to ask for another's. */
export const LINK_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 0x01);
/**
 * That of the far ends: another one, so that the IP layer there takes all packets for somebody else's and drops them at
 * once, after the packet socket has had them.
 */
export const FAR_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 0x02);
/** Interface indexes below are left to the kernel (the loopback's is 1). */
const FIRST_IFINDEX = 100;
const ENDING = -1;

type Value = (Answer & { kind: 'answer' })['value'];
/** Reports about one lab, in the order in which things happened. */
export type OnReport = (report: LabReport) => void;
export type LabReport = Exclude<Report, { readonly kind: 'answer' | 'refused' | 'packed' }>;

/** A namespace with the far ends of links. */
export interface FarSide {
  readonly namespace: NetworkNamespace;
  readonly rtnetlink: Rtnetlink;
}

export class WireThread {
  static #shared: WireThread | undefined;
  readonly farSides: readonly FarSide[];
  readonly #worker: Worker;
  readonly #wakeFd: number;
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending: PendingCalls<Value>;
  readonly #labs = new Map<number, OnReport>();
  #labsOpened = 0;
  #links = 0;
  #own: OwnThread | undefined;
  #failure: Error | undefined;

  /** The thread of this process, started when there is none. */
  static shared(): WireThread {
    WireThread.#shared ??= new WireThread();
    return WireThread.#shared;
  }

  private constructor() {
    this.farSides = Array.from({ length: PORT_COUNT }, makeFarSide);
    this.#wakeFd = check(libc.eventfd(0, SOCK_NONBLOCK | SOCK_CLOEXEC), 'eventfd');
    const workerData: ThreadOptions = {
      namespaceFds: this.farSides.map(({ namespace }) => namespace.fd),
      mac: LINK_MAC,
      wakeFd: this.#wakeFd,
      posted: this.#posted,
      epochNs: monotonicNs(),
      mayWatch: availableParallelism() > 1,
    };
    // Without our own execArgv: what a test runner loads into each thread has no business there.
    this.#worker = new Worker(new URL('./thread/worker.js', import.meta.url), { workerData, execArgv: [] });
    this.#pending = new PendingCalls(this.#worker);
    this.#worker.on('message', (reports: readonly Report[]) => {
      for (const report of reports) this.#take(report);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the wire's thread ended (${code})`)));
    this.#worker.unref();
    // A thread that sits in a system call would keep the process from ending.
    process.once('exit', () => {
      Atomics.store(this.#posted, 0, ENDING);
      this.#wake();
    });
  }

  farSide(mtu: number): FarSide {
    const side = this.farSides[portFor(mtu)];
    if (side === undefined) throw new RangeError(`there is no link of MTU ${mtu}`);
    return side;
  }

  /** An interface index that no other link on this wire has had. */
  nextIfindex(): number {
    this.#links += 1;
    return FIRST_IFINDEX + this.#links;
  }

  /** A wire for a lab; its number, for `request`. */
  async open(options: OpenWire, onReport: OnReport): Promise<number> {
    this.#labsOpened += 1;
    const lab = this.#labsOpened;
    this.#labs.set(lab, onReport);
    await this.request(lab, { kind: 'open', options });
    return lab;
  }

  async close(lab: number): Promise<void> {
    await this.request(lab, { kind: 'close' });
    this.#labs.delete(lab);
  }

  request(lab: number, request: Request): Promise<Value> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#pending.make((call) => this.#post({ lab, call, request }));
  }

  /** A packet from a lab's scripted peer. */
  peerPacket(lab: number, packet: Uint8Array): void {
    this.#post({ lab, peerPacket: packet });
  }

  /** The thread of the project's own TCP, which has a way of its own to this one; started when there is none. */
  ownThread(): OwnThread {
    if (this.#own !== undefined && !this.#own.isOver) return this.#own;
    const { port1, port2 } = new MessageChannel();
    this.#post({ ownPort: port1 }, [port1]);
    this.#own = new OwnThread({ wire: port2, wakeFd: this.#wakeFd, posted: this.#posted });
    return this.#own;
  }

  #post(command: Command, transfer: readonly MessagePort[] = []): void {
    this.#worker.postMessage(command, transfer);
    Atomics.add(this.#posted, 0, 1);
    this.#wake();
  }

  #wake(): void {
    libc.write(this.#wakeFd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0), 8);
  }

  #take(report: Report): void {
    switch (report.kind) {
      case 'answer':
        this.#pending.resolve(report.call, report.value);
        return;
      case 'refused':
        this.#pending.reject(report.call, new Error(report.message));
        return;
      case 'packed':
        unpackRecords(report.records, (lab, record) =>
          this.#labs.get(lab)?.({ kind: 'arrived', lab, record }),
        );
        return;
      case 'failed':
        if (report.lab === 'all') for (const onReport of this.#labs.values()) onReport(report);
        else this.#labs.get(report.lab)?.(report);
        return;
      default:
        this.#labs.get(report.lab)?.(report);
    }
  }

  /** The thread is gone: all that wait hear of it, and the next lab starts another. */
  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    if (WireThread.#shared === this) WireThread.#shared = undefined;
    this.#pending.rejectAll(error);
    for (const onReport of this.#labs.values())
      onReport({ kind: 'failed', lab: 'all', message: error.message });
  }
}

/** IPv6 is off there, or the kernel would talk on the far ends of the links. */
function makeFarSide(): FarSide {
  const namespace = NetworkNamespace.create();
  const rtnetlink = namespace.run(() => {
    writeIfThere('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    return new Rtnetlink();
  });
  return { namespace, rtnetlink };
}
