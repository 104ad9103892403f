/** For this folder's tests: what of the same story is otherwise in another lab. */
import { connectionsOf, SIDES, type Side, type Trace } from '../harness/index.js';

export interface ToldTrace {
  /** What is compared: for the sentence. */
  readonly name: string;
  readonly trace: Trace | undefined;
}

/** What each connection of a side passed through, as text. */
const statesOf = (trace: Trace | undefined, side: Side): readonly string[] =>
  trace === undefined
    ? ['nothing was recorded']
    : connectionsOf(trace, side).map(({ transitions }) => transitions.map(({ to }) => to).join(' '));

export interface ComparingOptions {
  /** The story does not wait for its last answers: which of them are still recorded is a matter of luck. */
  readonly mayEndEarlier?: boolean;
}

/** A line for each side whose connections passed through other states; none where all are the same. */
export const otherStates = (
  { name, trace }: ToldTrace,
  elsewhere: Trace | undefined,
  { mayEndEarlier = false }: ComparingOptions = {},
): readonly string[] =>
  SIDES.flatMap((side) => {
    const [here, there] = [statesOf(trace, side), statesOf(elsewhere, side)];
    const isSame = (a: string, b = ''): boolean =>
      a === b || (mayEndEarlier && (a.startsWith(`${b} `) || b.startsWith(`${a} `)));
    return here.length === there.length && here.every((states, i) => isSame(states, there[i]))
      ? []
      : [`${name} ${side}: ${here.join(' | ')} and not ${there.join(' | ')}`];
  });
