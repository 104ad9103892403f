import { expect } from 'chai';
import { BuildProgress } from './build-progress.js';

/** A screen that remembers; and a build of which each tenth of a percent is told. */
function shownOn(screen: { isTTY?: boolean; columns?: number }): string {
  let text = '';
  const progress = new BuildProgress('Linux 6.12', {
    ...screen,
    write: (more) => {
      text += more;
    },
  });
  progress.show({ doing: 'unpacking the source' });
  for (let i = 0; i < 1000; i += 1) progress.show({ doing: 'compiling', percent: i / 10 });
  progress.end();
  return text;
}

describe('the progress of a build', () => {
  it('is a line each ten percent in a log, with the time since the start', () => {
    const lines = shownOn({}).trimEnd().split('\n');
    expect(lines[0]).to.match(/^Linux 6\.12: unpacking the source {2}\(\d+\.\d+ ms\)$/);
    expect(lines.slice(1).map((line) => /compiling (\d+) %/.exec(line)?.[1])).to.deep.equal(
      [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map(String),
    );
  });

  it('is one line on a terminal that changes each percent, and is wiped in the end', () => {
    const text = shownOn({ isTTY: true, columns: 80 });
    expect(text).to.not.include('\n');
    expect(text.match(/compiling \d+ %/g)).to.have.lengthOf(100);
    expect(text.endsWith('\r\u001b[K')).to.equal(true);
  });

  it('never fills the last column of a narrow terminal', () => {
    const widths = shownOn({ isTTY: true, columns: 20 })
      .split('\r\u001b[K')
      .map((line) => line.length);
    expect(Math.max(...widths)).to.equal(19);
  });
});
