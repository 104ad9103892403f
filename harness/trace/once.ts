/** What checks ask of a trace again and again is worked out once for each trace: a trace never changes. */
import type { Trace } from './trace.js';

export function oncePerTrace<T>(work: (trace: Trace) => T): (trace: Trace) => T {
  const known = new WeakMap<Trace, { readonly result: T }>();
  return (trace) => {
    const before = known.get(trace);
    if (before !== undefined) return before.result;
    const result = work(trace);
    known.set(trace, { result });
    return result;
  };
}
