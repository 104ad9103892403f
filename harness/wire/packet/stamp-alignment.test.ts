import { expect } from 'chai';
import { CLOCK_REALTIME, libc } from '../../sys/index.js';
import { StampAlignment } from './stamp-alignment.js';

const epochNs = process.hrtime.bigint();
const now = (): number => Number(process.hrtime.bigint() - epochNs);

function wallClock(): { sec: number; nsec: number } {
  const timespec = new Uint8Array(16);
  libc.clockGettime(CLOCK_REALTIME, timespec);
  const view = new DataView(timespec.buffer);
  return { sec: Number(view.getBigInt64(0, true)), nsec: Number(view.getBigInt64(8, true)) };
}

describe('StampAlignment', () => {
  it('brings a wall-clock time onto the monotonic clock, within the error that it states', () => {
    const alignment = new StampAlignment(now);
    // Between two readings of the clock it is brought onto; a reading that was interrupted proves nothing.
    for (let i = 0; i < 50; i += 1) {
      const beforeNs = now();
      const { sec, nsec } = wallClock();
      const afterNs = now();
      const atNs = alignment.toMonotonicNs(sec, nsec, now());
      expect(atNs).to.be.within(beforeNs - alignment.errorNs, afterNs + alignment.errorNs);
    }
    expect(alignment.errorNs).to.be.greaterThan(0);
  });

  it('never gives a time that lies in the future, though the wall clock was set', () => {
    const alignment = new StampAlignment(now);
    const { sec, nsec } = wallClock();
    const nowNs = now();
    expect(alignment.toMonotonicNs(sec + 3600, nsec, nowNs)).to.equal(nowNs);
  });

  it('says when its clock was 0, in wall-clock time', () => {
    const alignment = new StampAlignment(now);
    const { sec, nsec } = wallClock();
    const unixNs = BigInt(sec) * 1_000_000_000n + BigInt(nsec);
    const distanceMs = Number(unixNs - alignment.epochUnixNs - BigInt(now())) / 1e6;
    expect(Math.abs(distanceMs)).to.be.lessThan(50);
  });
});
