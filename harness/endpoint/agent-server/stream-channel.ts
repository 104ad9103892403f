/** The way between an agent and who drives it over two streams: stdin and stdout of either, or those of a container. */
import type { Readable, Writable } from 'node:stream';
import type { AgentChannel } from '../agent/agent-channel.js';

/** A channel that can say when its other end does not take what it is sent. */
export interface ServedChannel extends AgentChannel {
  /** It keeps so much unsent that nothing further should be begun. */
  readonly isFull: boolean;
  /** To be set once: called when it is full no more. */
  onRoom(room: () => void): void;
}

export interface StreamChannelOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Why nothing more comes; default: that the stream has ended. */
  readonly endOf?: () => string | Promise<string>;
}

/** No one who reads leaves so much lie: 64 MiB. */
const MOST_UNSENT_OCTETS = 64 << 20;

export class StreamChannel implements ServedChannel {
  readonly #options: StreamChannelOptions;
  #ended: (reason: string) => void = () => {};
  #isOver = false;

  constructor(options: StreamChannelOptions) {
    this.#options = options;
    const { input, output, endOf = () => 'its stream has ended' } = options;
    input.on('end', () => void Promise.resolve(endOf()).then((reason) => this.#end(reason)));
    input.on('close', () => void Promise.resolve(endOf()).then((reason) => this.#end(reason)));
    for (const stream of [input, output])
      stream.on('error', (error: Error) => this.#end(`its stream has failed: ${error.message}`));
  }

  get isFull(): boolean {
    return this.#options.output.writableNeedDrain;
  }

  send(octets: Uint8Array): void {
    const { input, output } = this.#options;
    if (this.#isOver || output.writableEnded) return;
    // Who does not take its answers asks nothing more meanwhile.
    if (!output.write(octets)) input.pause();
    if (output.writableLength > MOST_UNSENT_OCTETS) {
      this.end(`it has not taken ${output.writableLength} octets that it was sent`);
    }
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.#options.input.on('data', (octets: Uint8Array) => {
      if (!this.#isOver) receive(octets);
    });
  }

  onRoom(room: () => void): void {
    const { input, output } = this.#options;
    output.on('drain', () => {
      room();
      if (!this.isFull) input.resume();
    });
  }

  onEnd(ended: (reason: string) => void): void {
    this.#ended = ended;
  }

  /** Ends it for a reason of ours. */
  end(reason: string): void {
    this.close();
    this.#end(reason);
  }

  close(): void {
    this.#options.output.end();
    this.#options.input.destroy();
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended(reason);
  }
}
