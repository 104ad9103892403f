/** What is to be done when the process exits, whatever makes it. One listener for all: each wire has several things to end. */

const steps = new Set<() => void>();

function runAll(): void {
  for (const step of steps) step();
}

/** Until the result is disposed of. The step must not throw. */
export function atExit(step: () => void): Disposable {
  if (steps.size === 0) process.once('exit', runAll);
  steps.add(step);
  return {
    [Symbol.dispose]() {
      steps.delete(step);
      if (steps.size === 0) process.removeListener('exit', runAll);
    },
  };
}
