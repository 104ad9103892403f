/** The harness's side of a wire that is a process of its own, wherever that runs: it is spoken to over the process's standard streams. */
import type { Readable, Writable } from 'node:stream';
import { monotonicNs } from '../../../sys/index.js';
import { packageVersion } from '../../../text/index.js';
import { PendingCalls } from '../../pending-calls.js';
import { AttachRefused } from '../attach-errors.js';
import type { RuleCounts } from '../namespace-rules.js';
import type { AttachedRequest, AttachedValue } from '../thread/protocol.js';
import type { OnReports, WireHost } from '../wire-host.js';
import { type ClockOffset, driftedErrorNs, estimateOffset, NO_OFFSET } from './clock-offset.js';
import { FrameReader, frameOf } from './frames.js';
import type {
  Hello,
  RemoteCommand,
  RemoteMessage,
  RemoteOpen,
  RemoteRequest,
  RemoteValue,
} from './protocol.js';
import { bootId } from './wire-process.js';

/** A process that runs `lastack wire`. */
export interface WireProcess {
  readonly stdio: { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable };
  /** Resolves when it has ended, and says how. */
  readonly ended: Promise<{ readonly sentence: string }>;
}

/** Questions for the time; that with the shortest round trip counts. */
const CLOCK_QUESTIONS = 12;
/** Clocks of two machines drift apart by 50 ppm or so: half a millisecond in this time. */
const ASK_AGAIN_NS = 10_000_000_000n;
/** A container on a busy machine takes seconds to start. */
const HELLO_WITHIN_MS = 30_000;
const ENDED_WITHIN_MS = 10_000;
const MOST_SAID = 4096;

export class RemoteWire implements WireHost {
  /** On this machine, with this machine's clock. */
  #isLocal = false;
  readonly #process: WireProcess;
  readonly #pending = new PendingCalls<RemoteValue>({ ref() {}, unref() {} });
  readonly #reader = new FrameReader();
  #onReports: OnReports = () => {};
  #said = '';
  #failure: Error | undefined;
  #rules: RuleCounts = { added: 0, removed: 0 };
  #offset: ClockOffset = NO_OFFSET;
  #errorNs = 0;
  #measuredNs = 0n;
  #isClosed = false;

  /** Waits for its first word. Rejects with `AttachRefused` when it has ended, or is none of ours. */
  static async connect(process: WireProcess): Promise<RemoteWire> {
    const wire = new RemoteWire(process);
    try {
      await wire.#greet();
      return wire;
    } catch (error) {
      await wire.close();
      throw error;
    }
  }

  private constructor(process: WireProcess) {
    this.#process = process;
    const { stdin, stdout, stderr } = process.stdio;
    stdout.on('data', (piece: Uint8Array) => this.#read(piece));
    stderr.on('data', (piece: Uint8Array) => {
      this.#said = (this.#said + Buffer.from(piece).toString()).slice(-MOST_SAID);
    });
    // Its end tells more than the pipe that broke with it.
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {});
    process.ended.then(({ sentence }) => this.#fail(this.#endedError(sentence)));
  }

  /** Where it is not, its clock is another, and no eyes of ours see what happens there. */
  get isLocal(): boolean {
    return this.#isLocal;
  }

  get clockErrorNs(): number {
    return this.#errorNs;
  }

  get rules(): RuleCounts {
    return this.#rules;
  }

  async #greet(): Promise<void> {
    const timeout = setTimeout(
      () =>
        this.#fail(
          new AttachRefused(`the wire's process has said nothing within ${HELLO_WITHIN_MS / 1000} s`),
        ),
      HELLO_WITHIN_MS,
    );
    try {
      const hello = (await this.#ask({ kind: 'hello' })) as Hello;
      if (hello.version !== packageVersion())
        throw new AttachRefused(
          `the wire's process is lastack ${hello.version}, and this is ${packageVersion()}: take the same for both`,
        );
      this.#isLocal = hello.bootId === bootId();
      if (this.#isLocal) return;
      this.#offset = await this.#measure();
      this.#errorNs = this.#offset.errorNs;
    } finally {
      clearTimeout(timeout);
    }
  }

  async #measure(): Promise<ClockOffset> {
    const samples = [];
    for (let i = 0; i < CLOCK_QUESTIONS; i += 1) {
      const beforeNs = monotonicNs();
      const theirsNs = (await this.#ask({ kind: 'clock' })) as bigint;
      samples.push({ beforeNs, theirsNs, afterNs: monotonicNs() });
    }
    this.#measuredNs = monotonicNs();
    return estimateOffset(samples);
  }

  /** Starts the wire; `epochNs` is on our clock. Rejects with `AttachRefused`. */
  async open(options: RemoteOpen, onReports: OnReports): Promise<void> {
    this.#onReports = onReports;
    const epochNs = options.epochNs + this.#offset.offsetNs;
    await this.#ask({ kind: 'open', ...options, epochNs });
  }

  async hook(): Promise<void> {
    this.#rules = (await this.#ask({ kind: 'hook' })) as RuleCounts;
  }

  async request(request: AttachedRequest): Promise<AttachedValue> {
    if (request.kind === 'queues' || request.kind === 'probe')
      throw new TypeError(`the wire's process sees to its ${request.kind} itself`);
    if (request.kind === 'sync' && !this.#isLocal && monotonicNs() - this.#measuredNs > ASK_AGAIN_NS)
      this.#errorNs = Math.max(this.#errorNs, driftedErrorNs(this.#offset, await this.#measure()));
    // The process answers each request with its own kind of value.
    return (await this.#ask(request)) as AttachedValue;
  }

  peerPacket(packet: Uint8Array): void {
    if (this.#failure === undefined) this.#send({ peerPacket: packet });
  }

  #ask(request: RemoteRequest): Promise<RemoteValue> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#pending.make((call) => this.#send({ call, request }));
  }

  #send(command: RemoteCommand): void {
    this.#process.stdio.stdin.write(frameOf(command));
  }

  #read(piece: Uint8Array): void {
    if (this.#failure !== undefined) return;
    let messages: readonly unknown[];
    try {
      messages = this.#reader.take(piece);
    } catch {
      const text = Buffer.from(piece).toString().slice(0, 200).trim();
      this.#fail(new AttachRefused(`the wire's process is no "lastack wire": it says "${text}"`));
      return;
    }
    // A process of the same version says nothing else.
    for (const message of messages) this.#take(message as RemoteMessage);
  }

  #take(message: RemoteMessage): void {
    switch (message.kind) {
      case 'answer':
        this.#pending.resolve(message.call, message.value);
        return;
      case 'refused':
        this.#pending.reject(
          message.call,
          message.isOurs ? new AttachRefused(message.message) : new Error(message.message),
        );
        return;
      case 'reports':
        this.#onReports(message.reports);
    }
  }

  #endedError(sentence: string): Error {
    const said = this.#said
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^lastack: /, '');
    return new AttachRefused(`the wire's process has ended: ${said || sentence}`);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#pending.rejectAll(error);
    if (!this.#isClosed) this.#onReports([{ kind: 'failed', lab: 'all', message: error.message }]);
  }

  /** What it says when its rules have been taken out counts; whether it ends then is for those who have started it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#rules.added > 0) this.#rules = (await this.#ask({ kind: 'unhook' })) as RuleCounts;
    } catch {
      // It has ended: so has its queue, and traffic flows. `lastack clean` finds its rules.
    } finally {
      this.#process.stdio.stdin.end();
      await settledWithin(this.#process.ended, ENDED_WITHIN_MS);
      this.#fail(new Error('the wire was closed'));
    }
  }
}

async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timeout = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timeout);
}
