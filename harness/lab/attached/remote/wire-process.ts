/**
 * The wire as a process of its own, such as in a container beside those of others: it does what a harness asks for on its standard input, and says
 * on its output what happens. When the input ends, or a signal comes, it takes its rules out and ends.
 */
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { monotonicNs, NetworkNamespace } from '../../../sys/index.js';
import { messageOf, packageVersion } from '../../../text/index.js';
import { AttachRefused } from '../attach-errors.js';
import { HookedWire } from '../hooked-wire.js';
import { FrameReader, frameOf } from './frames.js';
import type { RemoteCommand, RemoteMessage, RemoteOpen, RemoteRequest, RemoteValue } from './protocol.js';

export interface WireProcessOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** For tests: it takes itself for another machine's, whose clock is ahead by this. */
  readonly clockShiftNs?: bigint;
}

/** This kernel's, since it was started. */
export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Resolves when the input has ended and nothing is left behind. Rejects with what the harness has been refused, too. */
export function serveWire(options: WireProcessOptions): Promise<void> {
  const server = new WireServer(options);
  const reader = new FrameReader();
  return new Promise<void>((resolve, reject) => {
    const end = (failure?: Error): void => {
      server.close().then(
        () => (failure === undefined ? resolve() : reject(failure)),
        (error: unknown) => reject(failure ?? error),
      );
    };
    server.onRefusal = end;
    options.input.once('end', () => end());
    // A pipe that breaks is an end like another.
    options.input.once('error', () => end());
    options.output.once('error', () => end());
    options.input.on('data', (piece: Uint8Array) => {
      try {
        // The harness of the same version says nothing else.
        for (const command of reader.take(piece)) server.obey(command as RemoteCommand);
      } catch {
        end(
          new AttachRefused(
            '"lastack wire" is for harnesses to talk to: what it was told is no command of theirs',
          ),
        );
      }
    });
  });
}

class WireServer {
  /** What the harness asked for cannot be had: there is nothing else to do. */
  onRefusal: (error: AttachRefused) => void = () => {};
  readonly #output: Writable;
  readonly #shiftNs: bigint;
  readonly #namespaces: NetworkNamespace[] = [];
  readonly #bootId: string;
  #wire: HookedWire | undefined;
  #closing: Promise<void> | undefined;

  constructor({ output, clockShiftNs }: WireProcessOptions) {
    this.#output = output;
    this.#shiftNs = clockShiftNs ?? 0n;
    this.#bootId = clockShiftNs === undefined ? bootId() : 'of another machine';
  }

  obey(command: RemoteCommand): void {
    if ('peerPacket' in command) {
      this.#wire?.peerPacket(command.peerPacket);
      return;
    }
    const { call, request } = command;
    this.#carryOut(request).then(
      (value) => this.#say({ kind: 'answer', call, value }),
      (error: unknown) => {
        const isOurs = error instanceof AttachRefused;
        this.#say({ kind: 'refused', call, message: messageOf(error), isOurs });
        if (isOurs) this.onRefusal(error);
      },
    );
  }

  async #carryOut(request: RemoteRequest): Promise<RemoteValue> {
    switch (request.kind) {
      case 'hello':
        // A harness before this one may have been killed.
        await this.#takeOut();
        return { version: packageVersion(), bootId: this.#bootId };
      case 'clock':
        return monotonicNs() + this.#shiftNs;
      case 'open':
        this.#open(request);
        return undefined;
      case 'hook':
        await this.#opened().hook();
        return this.#opened().rules;
      case 'unhook': {
        const wire = this.#opened();
        await this.#takeOut();
        return wire.rules;
      }
      default:
        return this.#opened().request(request);
    }
  }

  #open({ places, epochNs, peer, faults, looks, hasTracepoints }: RemoteOpen): void {
    if (this.#wire !== undefined) throw new TypeError('the wire is open already');
    const opened = places.map(({ path, ...place }) => ({ ...place, namespace: this.#namespaceAt(path) }));
    const options = { places: opened, faults, looks, hasTracepoints, epochNs: epochNs - this.#shiftNs };
    this.#wire = new HookedWire(peer === undefined ? options : { ...options, peer }, (reports) =>
      this.#say({ kind: 'reports', reports }),
    );
  }

  #namespaceAt(path: string): NetworkNamespace {
    try {
      const namespace = NetworkNamespace.ofPath(path);
      this.#namespaces.push(namespace);
      namespace.run(() => {});
      return namespace;
    } catch (error) {
      throw new AttachRefused(
        `the network namespace ${path} cannot be entered (${messageOf(error)}): run the wire as root, in a container with the capabilities SYS_ADMIN, SYS_PTRACE, NET_ADMIN and NET_RAW`,
        { cause: error },
      );
    }
  }

  #opened(): HookedWire {
    if (this.#wire === undefined) throw new TypeError('the wire is not open yet');
    return this.#wire;
  }

  #say(message: RemoteMessage): void {
    if (this.#output.writable) this.#output.write(frameOf(message));
  }

  /** Once, however often it is asked for. */
  close(): Promise<void> {
    this.#closing ??= this.#takeOut();
    return this.#closing;
  }

  /** The next harness may open another one: a process that a container keeps serves many, one after the other. */
  async #takeOut(): Promise<void> {
    const wire = this.#wire;
    this.#wire = undefined;
    const namespaces = this.#namespaces.splice(0);
    try {
      await wire?.close();
    } finally {
      for (const namespace of namespaces) namespace[Symbol.dispose]();
    }
  }
}
