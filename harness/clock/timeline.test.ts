import { expect } from 'chai';
import { LONGEST_RUN_NS, type Participant, Timeline } from './timeline.js';

/** Has events at given times; each may do something to others. */
class Scripted implements Participant {
  hasInput = false;
  readonly runs: [number, number][] = [];
  constructor(
    readonly name: string,
    readonly timeline: Timeline,
    readonly events: { atNs: number; affects?: () => void }[],
  ) {}

  get nextNs(): number {
    return this.events[0]?.atNs ?? Number.POSITIVE_INFINITY;
  }

  run(nowNs: number, aloneUntilNs: number): number {
    this.runs.push([nowNs, aloneUntilNs]);
    this.hasInput = false;
    for (let event = this.events[0]; event !== undefined; event = this.events[0]) {
      if (event.atNs > Math.max(nowNs, aloneUntilNs - 1)) break;
      this.events.shift();
      if (event.affects === undefined) continue;
      this.timeline.reached(event.atNs);
      event.affects();
      return event.atNs;
    }
    return aloneUntilNs;
  }
}

describe('the timeline', () => {
  it('lets a participant run alone up to the next event of anyone else', () => {
    const timeline = new Timeline();
    const a = new Scripted('a', timeline, [{ atNs: 10 }, { atNs: 20 }, { atNs: 40 }]);
    const b = new Scripted('b', timeline, [{ atNs: 30 }]);
    timeline.add(a);
    timeline.add(b);
    while (timeline.step());
    expect(a.runs).to.deep.equal([
      [10, 30],
      [40, 40 + LONGEST_RUN_NS],
    ]);
    expect(b.runs).to.deep.equal([[30, 40]]);
  });

  it('stands where a participant affected another, which sees it at that very time', () => {
    const timeline = new Timeline();
    const seen: number[] = [];
    const b = new Scripted('b', timeline, []);
    const a = new Scripted('a', timeline, [
      {
        atNs: 10,
        affects: () => {
          b.hasInput = true;
        },
      },
      { atNs: 20 },
    ]);
    timeline.add(a);
    timeline.add(b);
    timeline.at(15, () => seen.push(timeline.now()));
    while (timeline.step());
    expect(b.runs).to.deep.equal([[10, 15]]);
    expect(seen).to.deep.equal([15]);
  });

  it('makes the calls of an instant before a participant runs at it, in the order they were asked for', () => {
    const timeline = new Timeline();
    const order: string[] = [];
    const a = new Scripted('a', timeline, [{ atNs: 5, affects: () => order.push('participant') }]);
    timeline.add(a);
    timeline.at(5, () => order.push('first'));
    timeline.at(5, () => order.push('second'));
    while (timeline.step());
    expect(order).to.deep.equal(['first', 'second', 'participant']);
  });

  it('refuses a participant that says it is beyond what it was granted', () => {
    const timeline = new Timeline();
    timeline.add({
      name: 'liar',
      nextNs: 10,
      hasInput: false,
      run: (_nowNs, aloneUntilNs) => aloneUntilNs + 1,
    });
    timeline.at(50, () => {});
    expect(() => timeline.step()).to.throw(RangeError, 'nobody may be beyond 50 ns');
  });

  it('never goes back: what is asked for in the past happens now', () => {
    const timeline = new Timeline();
    const seen: number[] = [];
    timeline.at(100, () => timeline.at(1, () => seen.push(timeline.now())));
    while (timeline.step());
    expect(seen).to.deep.equal([100]);
  });
});
