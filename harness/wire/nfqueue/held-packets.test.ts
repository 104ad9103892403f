import { expect } from 'chai';
import { type Clock, TimerQueue } from '../../clock/index.js';
import {
  data,
  delay,
  drop,
  duplicate,
  type Fault,
  hold,
  otherSide,
  rewrite,
  type Side,
} from '../../fault/index.js';
import { decode } from '../../segment/index.js';
import { RecordBook } from '../recorder.js';
import { packetFrom } from '../table-top.fixture.js';
import { Wire } from '../wire.js';
import { HeldPackets } from './held-packets.js';

/** A wire through hooks on the table: what is decided and what is sent is noted. */
class Hooks {
  readonly said: string[] = [];
  readonly wire: Wire;
  readonly #timers = new TimerQueue();
  readonly #held: HeldPackets;
  #now = 0;
  #id = 0;

  constructor(...faults: readonly Fault[]) {
    const clock: Clock = { now: () => this.#now, at: (atNs, action) => this.#timers.at(atNs, action) };
    this.#held = new HeldPackets({
      decide: (id, verdict, packet) =>
        this.said.push(`${verdict} ${id}${packet === undefined ? '' : ` as ${payloadOf(packet)}`}`),
      send: (packet) => this.said.push(`send ${payloadOf(packet)}`),
    });
    this.wire = new Wire({
      clock,
      carriers: { client: this.#held.carrier('client'), server: this.#held.carrier('server') },
      recorder: new RecordBook(),
      faults,
      lost: (packet) => this.#held.lost(packet),
    });
  }

  /** A segment waits at a hook. */
  queue(hook: 'output' | 'input', payload: string, from: Side = 'client', isWhole = true): void {
    this.#id += 1;
    const packet = packetFrom(from, 'PSH,ACK', { seq: this.#id * 100, payload });
    const queued = { id: this.#id, hook, isLoopback: false, isWhole, packet };
    this.#held.pass(queued, { packet, to: otherSide(from) }, () => this.wire.arrive(from, packet, this.#now));
  }

  goTo(atNs: number): void {
    this.#now = atNs;
    this.#timers.runDue(atNs);
  }

  get waiting(): number {
    return this.#held.size;
  }
}

function payloadOf(packet: Uint8Array): string {
  const decoded = decode(packet);
  return decoded.kind === 'segment' ? new TextDecoder().decode(decoded.segment.payload) : decoded.kind;
}

const second = data().ordinal(2);
const MS = 1_000_000;

for (const hook of ['input', 'output'] as const)
  describe(`packets that wait at an ${hook} hook`, () => {
    it('go on when nothing happens to them', () => {
      const hooks = new Hooks();
      hooks.queue(hook, 'a');
      hooks.queue(hook, 'b', 'server');
      expect(hooks.said).to.deep.equal(['accept 1', 'accept 2']);
    });

    it('are dropped when the plan drops them', () => {
      const hooks = new Hooks(drop(second));
      hooks.queue(hook, 'a');
      hooks.queue(hook, 'b');
      expect(hooks.said).to.deep.equal(['accept 1', 'drop 2']);
    });

    it('go on with other octets when they are rewritten', () => {
      const hooks = new Hooks(rewrite(data(), { payload: 'z' }));
      hooks.queue(hook, 'a');
      expect(hooks.said).to.deep.equal(['accept 1 as z']);
    });

    it('go on once, and their copies are sent', () => {
      const hooks = new Hooks(duplicate(data(), { copies: 2 }));
      hooks.queue(hook, 'a');
      expect(hooks.said).to.deep.equal(['accept 1', 'send a', 'send a']);
    });

    it('leave nobody waiting', () => {
      const hooks = new Hooks(drop(second));
      for (const payload of ['a', 'b', 'c']) hooks.queue(hook, payload);
      expect(hooks.waiting).to.equal(0);
    });
  });

describe('packets that were not seen whole', () => {
  it('go on as they are', () => {
    const hooks = new Hooks();
    hooks.queue('input', 'a', 'client', false);
    expect(hooks.said).to.deep.equal(['accept 1']);
  });

  it('cannot be changed: that is told, and they go on as they are', () => {
    const hooks = new Hooks(rewrite(data(), { payload: 'z' }));
    expect(() => hooks.queue('input', 'a', 'client', false)).to.throw(/too large to be changed.*MTU/);
    expect(hooks.said).to.deep.equal(['accept 1']);
  });
});

describe('packets whose time has not come', () => {
  it('wait at an input hook for their verdict', () => {
    const hooks = new Hooks(delay(data(), { byMs: 5 }));
    hooks.queue('input', 'a');
    expect(hooks.said).to.deep.equal([]);
    hooks.goTo(5 * MS);
    expect(hooks.said).to.deep.equal(['accept 1']);
  });

  it("do not wait at their sender's output, whose TCP would not repeat them, but are sent when it comes", () => {
    const hooks = new Hooks(delay(data(), { byMs: 5 }));
    hooks.queue('output', 'a');
    expect(hooks.said).to.deep.equal(['drop 1']);
    hooks.goTo(5 * MS);
    expect(hooks.said).to.deep.equal(['drop 1', 'send a']);
  });

  it('go on when what held them lets go', () => {
    const hooks = new Hooks(hold(data(), { id: 'all' }));
    hooks.queue('input', 'a');
    hooks.queue('output', 'b');
    expect(hooks.said).to.deep.equal(['drop 2']);
    expect(hooks.wire.release('all')).to.equal(2);
    expect(hooks.said).to.deep.equal(['drop 2', 'accept 1', 'send b']);
  });
});
