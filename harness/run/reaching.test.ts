import { expect } from 'chai';
import { type Clock, NANOS_PER_MS } from '../clock/index.js';
import { type SocketState, type TcpState, WaitTimeout } from '../endpoint/index.js';
import { reaching, type Watched } from './reaching.js';

/** A clock that jumps to each time that somebody waits for. */
class JumpingClock implements Clock {
  #nowNs = 0;
  now(): number {
    return this.#nowNs;
  }
  at(atNs: number, action: () => void) {
    expect(atNs).to.satisfy(Number.isInteger);
    queueMicrotask(() => {
      this.#nowNs = atNs;
      action();
    });
    return { cancel: () => undefined };
  }
  get nowMs(): number {
    return this.#nowNs / NANOS_PER_MS;
  }
}

const HOUR_MS = 3_600_000;

/** A stack whose one connection is in `state` until `untilMs`, and then gone, and when it was asked. */
function watched(state: TcpState, untilMs: number, { showsTimer = false } = {}) {
  const clock = new JumpingClock();
  const looks: number[] = [];
  const sockets = (): Promise<readonly SocketState[]> => {
    looks.push(clock.nowMs);
    const remainsMs = untilMs - clock.nowMs;
    const socket: SocketState = {
      local: { ip: '10.0.0.1', port: 1 },
      remote: { ip: '10.0.0.2', port: 2 },
      state,
      recvQueueOctets: 0,
      sendQueueOctets: 0,
      ...(showsTimer ? { timer: { name: 'time-wait', remainsMs, retransmits: 0 } } : {}),
    };
    return Promise.resolve(remainsMs > 0 ? [socket] : []);
  };
  const stack: Watched = { side: 'client', clock, sockets };
  return { stack, clock, looks };
}

describe('waiting for a state', () => {
  it('looks often at first', async () => {
    const { stack, clock, looks } = watched('LAST-ACK', 300);
    await reaching(stack, 'CLOSED');
    expect(clock.nowMs).to.be.within(300, 320);
    expect(looks).to.have.length(16);
  });

  it('takes few looks for a wait of hours, and sees its end soon after', async () => {
    const { stack, clock, looks } = watched('FIN-WAIT-2', 3 * HOUR_MS);
    await reaching(stack, 'CLOSED', { withinMs: 4 * HOUR_MS });
    expect(clock.nowMs).to.be.within(3 * HOUR_MS, 3 * HOUR_MS * (1 + 1 / 32));
    expect(looks.length).to.be.below(400);
  });

  it('sees the end of TIME-WAIT when its timer ends', async () => {
    const { stack, clock, looks } = watched('TIME-WAIT', 60_000, { showsTimer: true });
    await reaching(stack, 'CLOSED', { withinMs: 120_000 });
    expect(clock.nowMs).to.be.within(60_000, 60_020);
    expect(looks.length).to.be.below(150);
  });

  it('looks only when something has changed, where it is told so', async () => {
    const { stack, clock, looks } = watched('TIME-WAIT', 60_000, { showsTimer: true });
    const changedMs = [100, 30_000, 60_000];
    const next = (untilNs: number) =>
      new Promise<void>((resolve) => {
        clock.at(Math.min(untilNs, (changedMs.shift() ?? HOUR_MS) * NANOS_PER_MS), resolve);
      });
    await reaching({ ...stack, changes: { next, [Symbol.dispose]() {} } }, 'CLOSED', { withinMs: 120_000 });
    expect(looks).to.deep.equal([0, 100, 30_000, 60_000]);
  });

  it('gives up when it was told to, and not later', async () => {
    const { stack, clock } = watched('ESTABLISHED', 4 * HOUR_MS);
    const error = await reaching(stack, 'CLOSED', { withinMs: HOUR_MS }).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(WaitTimeout);
    expect(error).to.have.property(
      'message',
      'client reaching CLOSED: nothing came of it within 3600000 ms (it is in ESTABLISHED)',
    );
    expect(clock.nowMs).to.equal(HOUR_MS);
  });
});
