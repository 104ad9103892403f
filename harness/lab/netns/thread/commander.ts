/** Takes the main thread's commands and answers them. */

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { messageOf } from '../../../text/index.js';
import type { Labs } from './labs.js';
import type { Outbox } from './outbox.js';
import type { OwnPort } from './own-port.js';
import type { Answer, Command, Request } from './protocol.js';

export interface CommanderParts {
  readonly port: MessagePort;
  /** Counts what was posted; see `ThreadOptions`. */
  readonly posted: Int32Array;
  readonly labs: Labs;
  readonly outbox: Outbox;
  readonly ownPort: OwnPort;
  openLab(lab: number, request: Request & { kind: 'open' }): void;
  /** Handles the packets that are there. */
  catchUp(): void;
  /** Sends what commands have put into the senders. */
  flush(): void;
  stampErrorNs(): number;
  /** Wall-clock time at a time of CLOCK_MONOTONIC. */
  epochUnixNs(epochNs: bigint): bigint;
}

export class Commander {
  readonly #parts: CommanderParts;
  #seen = 0;

  constructor(parts: CommanderParts) {
    this.#parts = parts;
  }

  get isEnding(): boolean {
    return Atomics.load(this.#parts.posted, 0) < 0;
  }

  /** Carries out the commands that have come; whether there were any. */
  obey(): boolean {
    const posted = Atomics.load(this.#parts.posted, 0);
    if (posted === this.#seen) return false;
    this.#seen = posted;
    // What is on the wire already comes before the command.
    this.#parts.catchUp();
    for (;;) {
      const received = receiveMessageOnPort(this.#parts.port);
      if (received === undefined) break;
      // `WireThread` alone holds the other end of this port.
      this.#obeyOne(received.message as Command);
    }
    const taken = this.#parts.ownPort.take(({ lab, side, packet, atNs }) =>
      this.#parts.labs.find(lab)?.fromOwn(side, packet, atNs),
    );
    if (taken > 0) this.#parts.flush();
    return true;
  }

  #obeyOne(command: Command): void {
    if ('ownPort' in command) {
      this.#parts.ownPort.open(command.ownPort);
      return;
    }
    if ('peerPacket' in command) {
      this.#parts.labs.find(command.lab)?.fromPeer(command.peerPacket);
      this.#parts.flush();
      return;
    }
    const { lab, call, request } = command;
    const answer = this.#answer(lab, request);
    this.#parts.outbox.put({ call, ...answer }, { isUrgent: true });
  }

  #answer(lab: number, request: Request): Answer {
    try {
      const value = this.#carryOut(lab, request);
      this.#parts.flush();
      return { kind: 'answer', value };
    } catch (error) {
      return { kind: 'refused', message: messageOf(error) };
    }
  }

  #carryOut(lab: number, request: Request): (Answer & { kind: 'answer' })['value'] {
    const { labs } = this.#parts;
    switch (request.kind) {
      case 'open':
        this.#parts.openLab(lab, request);
        return undefined;
      case 'close':
        labs.close(lab);
        return undefined;
      case 'sync':
        this.#parts.catchUp();
        labs.get(lab).lookAtAll();
        return {
          stampErrorNs: this.#parts.stampErrorNs(),
          epochUnixNs: this.#parts.epochUnixNs(labs.get(lab).open.epochNs),
        };
      default:
        return labs.get(lab).handle(request);
    }
  }
}
