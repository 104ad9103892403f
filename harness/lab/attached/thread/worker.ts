/** The thread of an attached wire. `AttachedThread` starts it. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { NetworkNamespace, SysError } from '../../../sys/index.js';
import { messageOf } from '../../../text/index.js';
import { OWN_MARK, PacketQueue, type QueuedPacket, RawSender } from '../../../wire/index.js';
import { Outbox } from '../../netns/thread/outbox.js';
import type { Answer } from '../../netns/thread/protocol.js';
import { Sleeper } from '../../netns/thread/sleeper.js';
import { LabClock, ThreadClock } from '../../netns/thread/thread-clock.js';
import { AttachedLoop } from './attached-loop.js';
import { AttachedWire } from './attached-wire.js';
import { isProbe, probeSegment } from './probe-segment.js';
import type {
  AttachedCommand,
  AttachedRequest,
  AttachedThreadOptions,
  AttachedValue,
  ProbeResult,
} from './protocol.js';

/** A segment over the loopback is in the queue before its sender's call returns; a rule may be slower to take effect. */
const PROBE_TRIES = 50;

class AttachedWorker {
  readonly #port: MessagePort;
  readonly #options: AttachedThreadOptions;
  readonly #namespace: NetworkNamespace;
  readonly #queue: PacketQueue;
  readonly #outbox: Outbox;
  readonly #wire: AttachedWire;
  readonly #loop: AttachedLoop;
  readonly #probe: Uint8Array;
  #probesSeen = 0;
  #obeyed = 0;

  constructor(port: MessagePort, options: AttachedThreadOptions) {
    this.#port = port;
    this.#options = options;
    const clock = new ThreadClock(options.epochNs);
    this.#outbox = new Outbox(port, clock.now);
    this.#namespace = NetworkNamespace.ofFd(options.namespaceFd);
    this.#probe = probeSegment(options.port);
    const parts = this.#namespace.run(() => ({
      queue: PacketQueue.open(),
      sender: new RawSender({ mark: OWN_MARK }),
    }));
    this.#queue = parts.queue;
    const common = { ...parts, options, outbox: this.#outbox };
    this.#wire = new AttachedWire({ ...common, clock: new LabClock(clock, options.epochNs) });
    this.#loop = new AttachedLoop({
      clock,
      queue: parts.queue,
      wire: this.#wire,
      outbox: this.#outbox,
      sleeper: new Sleeper(options.wakeFd),
      intercept: (packet) => this.#intercept(packet),
      obey: () => this.#obey(),
      isEnding: () => Atomics.load(options.posted, 0) < 0,
      mayWatch: options.mayWatch,
    });
  }

  run(): void {
    this.#loop.run();
    this.#wire[Symbol.dispose]();
    this.#queue[Symbol.dispose]();
    this.#port.close();
  }

  #intercept({ id, packet, isLoopback }: QueuedPacket): boolean {
    if (!isLoopback || !isProbe(packet, this.#probe)) return false;
    this.#probesSeen += 1;
    this.#queue.decide(id, 'drop');
    return true;
  }

  #obey(): boolean {
    const posted = Atomics.load(this.#options.posted, 0);
    if (posted === this.#obeyed) return false;
    this.#obeyed = posted;
    // What is on the wire already comes before the command.
    this.#loop.catchUp();
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return true;
      // `AttachedThread` alone holds the other end of this port.
      const { call, request } = received.message as AttachedCommand;
      this.#outbox.put({ call, ...this.#answer(request) }, { isUrgent: true });
    }
  }

  #answer(request: AttachedRequest): Answer {
    try {
      // `AttachedThread` knows which value answers which request.
      return { kind: 'answer', value: this.#carryOut(request) as (Answer & { kind: 'answer' })['value'] };
    } catch (error) {
      return { kind: 'refused', message: messageOf(error) };
    }
  }

  #carryOut(request: AttachedRequest): AttachedValue {
    switch (request.kind) {
      case 'queue':
        return this.#queue.number;
      case 'missed':
        return this.#queue.missed;
      case 'probe':
        return this.#sendProbe();
      case 'look':
        this.#wire.lookAtAll();
        return undefined;
      case 'sync':
        this.#loop.catchUp();
        this.#wire.lookAtAll();
        return {
          stampErrorNs: this.#loop.alignment.errorNs,
          epochUnixNs: this.#loop.alignment.epochUnixNs,
        };
      default:
        return this.#wire.handle(request);
    }
  }

  #sendProbe(): ProbeResult {
    const before = this.#probesSeen;
    try {
      this.#namespace.run(() => {
        using sender = new RawSender();
        sender.send(this.#probe);
      });
    } catch (error) {
      if (error instanceof SysError) return { kind: 'impossible', why: error.message };
      throw error;
    }
    for (let i = 0; i < PROBE_TRIES && this.#probesSeen === before; i += 1) {
      this.#loop.catchUp();
      if (this.#probesSeen === before) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
    return { kind: this.#probesSeen > before ? 'seen' : 'unseen' };
  }
}

if (parentPort === null) throw new Error('worker.js runs as a thread: use AttachedThread');
// `AttachedThread` is the only one to start this.
new AttachedWorker(parentPort, workerData as AttachedThreadOptions).run();
