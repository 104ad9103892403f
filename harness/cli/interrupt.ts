/** What Ctrl-C and its kin do: end the process, or, once, what a command has said that they end. */

let ends: (() => void) | undefined;

/** From now on the first signal calls this instead; undefined: the process ends again. */
export function onInterrupt(end: (() => void) | undefined): void {
  ends = end;
}

/** A signal has come; whether somebody ends gently because of it. The second one finds nobody. */
export function interrupt(): boolean {
  const end = ends;
  ends = undefined;
  end?.();
  return end !== undefined;
}
