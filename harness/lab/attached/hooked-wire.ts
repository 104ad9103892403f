/** A wire through the hooks of namespaces of this machine: its thread, and the rules that bring it segments. */
import type { Fault, Side } from '../../fault/index.js';
import type { NetworkNamespace } from '../../sys/index.js';
import { AttachRefused } from './attach-errors.js';
import { AttachedThread } from './attached-thread.js';
import { tryHooks } from './hooks.js';
import { type Intake, queuedSegments } from './intake.js';
import { NamespaceRules, type RuleCounts } from './namespace-rules.js';
import type { AttachedRequest, AttachedValue, ProbeResult } from './thread/protocol.js';
import type { OnReports, WireHost } from './wire-host.js';

export interface HookedNamespace {
  /** For people: `process 1234 (nginx)`. */
  readonly text: string;
  /** Stays the caller's, to be disposed of after the wire. */
  readonly namespace: NetworkNamespace;
  readonly intake: Intake;
}

export interface HookedWireOptions {
  readonly places: readonly HookedNamespace[];
  readonly peer?: Side;
  readonly faults: readonly Fault[];
  readonly looks: boolean;
  readonly hasTracepoints: boolean;
  readonly epochNs: bigint;
}

export class HookedWire implements WireHost {
  readonly clockErrorNs = 0;
  readonly #places: readonly HookedNamespace[];
  readonly #thread: AttachedThread;
  readonly #rules: NamespaceRules[] = [];
  #isClosed = false;

  /** Throws `AttachRefused` where segments cannot be queued. */
  constructor({ places, ...options }: HookedWireOptions, onReports: OnReports) {
    for (const { namespace } of places) tryHooks(namespace);
    this.#places = places;
    const gates = places.map(({ namespace, intake }) => ({ namespaceFd: namespace.fd, intake }));
    this.#thread = new AttachedThread({ ...options, gates }, onReports);
  }

  request(request: AttachedRequest): Promise<AttachedValue> {
    return this.#thread.request(request);
  }

  peerPacket(packet: Uint8Array): void {
    this.#thread.peerPacket(packet);
  }

  async hook(): Promise<void> {
    // The thread answers each request with its own kind of value.
    const queues = (await this.request({ kind: 'queues' })) as readonly number[];
    for (const [i, { namespace, intake, text }] of this.#places.entries()) {
      const queue = queues[i];
      if (queue === undefined) throw new TypeError(`there is no queue for ${text}`);
      this.#rules.push(new NamespaceRules(namespace, { segments: queuedSegments(intake), queue }));
      const probe = (await this.request({ kind: 'probe', gate: i })) as ProbeResult;
      if (probe.kind === 'unseen')
        throw new AttachRefused(
          `the segments of ${text} do not come to lastack, though the rules are there: another rule or program takes them before ("iptables-save" shows the rules)`,
        );
    }
  }

  get rules(): RuleCounts {
    const counts = this.#rules.map((rules) => rules.counts);
    const sum = (of: keyof RuleCounts) => counts.reduce((all, each) => all + each[of], 0);
    return { added: sum('added'), removed: sum('removed') };
  }

  /** Takes the rules out first: from then on nothing more comes to the queues. What faults hold or delay is lost, and TCP sends it again. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const failures: unknown[] = [];
    for (const rules of this.#rules) {
      try {
        rules[Symbol.dispose]();
      } catch (error) {
        failures.push(error);
      }
    }
    await this.#thread.close();
    if (failures.length > 0) throw failures[0];
  }
}
