/** The thread of an attached wire. `AttachedThread` starts it. */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../../text/index.js';
import { Outbox } from '../../netns/thread/outbox.js';
import type { Answer } from '../../netns/thread/protocol.js';
import { Sleeper } from '../../netns/thread/sleeper.js';
import { LabClock, ThreadClock } from '../../netns/thread/thread-clock.js';
import { AttachedLoop } from './attached-loop.js';
import { AttachedWire } from './attached-wire.js';
import type { AttachedCommand, AttachedRequest, AttachedThreadOptions, AttachedValue } from './protocol.js';

class AttachedWorker {
  readonly #port: MessagePort;
  readonly #options: AttachedThreadOptions;
  readonly #outbox: Outbox;
  readonly #wire: AttachedWire;
  readonly #loop: AttachedLoop;
  #obeyed = 0;

  constructor(port: MessagePort, options: AttachedThreadOptions) {
    this.#port = port;
    this.#options = options;
    const clock = new ThreadClock(options.epochNs);
    this.#outbox = new Outbox(port, clock.now);
    this.#wire = new AttachedWire({
      options,
      outbox: this.#outbox,
      clock: new LabClock(clock, options.epochNs),
    });
    this.#loop = new AttachedLoop({
      clock,
      wire: this.#wire,
      outbox: this.#outbox,
      sleeper: new Sleeper(options.wakeFd),
      obey: () => this.#obey(),
      isEnding: () => Atomics.load(options.posted, 0) < 0,
      mayWatch: options.mayWatch,
    });
  }

  run(): void {
    this.#loop.run();
    this.#wire[Symbol.dispose]();
    this.#port.close();
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
      const command = received.message as AttachedCommand;
      if ('peerPacket' in command) this.#wire.fromPeer(command.peerPacket);
      else this.#outbox.put({ call: command.call, ...this.#answer(command.request) }, { isUrgent: true });
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
    const { gates } = this.#wire;
    switch (request.kind) {
      case 'queues':
        return gates.map(({ queue }) => queue.number);
      case 'missed':
        return gates.reduce((sum, { queue }) => sum + queue.missed, 0);
      case 'sockets':
        return gates.flatMap((gate) => gate.sockets());
      case 'probe':
        return gates[request.gate]?.probe(() => this.#loop.catchUp());
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
}

if (parentPort === null) throw new Error('worker.js runs as a thread: use AttachedThread');
// `AttachedThread` is the only one to start this.
new AttachedWorker(parentPort, workerData as AttachedThreadOptions).run();
