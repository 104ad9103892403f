/** What ends an attachment: a signal, the time, a segment that was waited for, the end of its process, a failure. */
import type { Match } from '../fault/index.js';
import type { Attachment, Target } from '../lab/index.js';
import { onInterrupt } from './interrupt.js';

export type Ending = {
  /** Connections that were there at the port. */
  readonly present: number;
} & (
  | { readonly kind: 'interrupt' | 'until' }
  /** With what was waited for in vain, where something was. */
  | { readonly kind: 'time'; readonly unseen?: Match }
  | { readonly kind: 'gone' | 'failed' | 'full'; readonly sentence: string }
);

/** All are kept until the end, for the capture. */
export const MOST_SEGMENTS = 200_000;
const LOOK_MS = 100;
/** Longer than anybody stays: `sees` wants a limit. */
const FOR_EVER_MS = 1e12;
/** What the segment causes is shown too. */
const AFTERMATH = { forMs: 200, withinMs: 1000 } as const;

export interface EndingOptions {
  readonly target: Target;
  readonly forMs?: number;
  readonly until?: Match;
}

/** `stop` when it has ended: nothing is waited for any more. */
export function endOf(
  attachment: Attachment,
  { target, forMs, until }: EndingOptions,
): { readonly ended: Promise<Ending>; readonly stop: () => void } {
  const timers: NodeJS.Timeout[] = [];
  const ended = new Promise<Ending>((resolve) => {
    const end = (how: Ending extends infer E ? (E extends Ending ? Omit<E, 'present'> : never) : never) =>
      void connectionsOf(attachment).then((present) => resolve({ ...how, present } as Ending));
    onInterrupt(() => end({ kind: 'interrupt' }));
    attachment.failed.then(({ message }) => end({ kind: 'failed', sentence: message }));
    if (forMs !== undefined)
      timers.push(
        setTimeout(() => end({ kind: 'time', ...(until === undefined ? {} : { unseen: until }) }), forMs),
      );
    if (until !== undefined)
      attachment.wire
        .sees(until, { withinMs: FOR_EVER_MS })
        .then(() => attachment.wire.quiet(AFTERMATH).catch(() => {}))
        .then(() => end({ kind: 'until' }))
        // The wire was closed, or has failed: that is told elsewhere.
        .catch(() => {});
    timers.push(
      setInterval(() => {
        if (!target.isAlive()) end({ kind: 'gone', sentence: goneSentence(target) });
        else if (attachment.wire.records().length > MOST_SEGMENTS) end({ kind: 'full', sentence: FULL });
      }, LOOK_MS),
    );
  });
  const stop = (): void => {
    onInterrupt(undefined);
    for (const timer of timers) clearTimeout(timer);
  };
  return { ended, stop };
}

/** A wire that has failed cannot tell any more. */
const connectionsOf = (attachment: Attachment): Promise<number> =>
  attachment.present().then(
    ({ connections }) => connections,
    () => 0,
  );

const FULL = `${MOST_SEGMENTS} segments were seen, more are not kept: attach again to see more, for a shorter time`;

const goneSentence = ({ text }: Target): string =>
  `${text} has ended while lastack was attached to it: what was seen until then is above`;
