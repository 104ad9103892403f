/**
 * One send call as the requests that it takes: what is longer than a message goes in pieces, one after the other, for a piece may
 * go only when the one before was taken whole.
 */
import { type MessageFlag, SocketError } from '../endpoint.js';
import { flagBits, MESSAGE_FLAGS } from './agent-requests.js';
import type { AgentWait } from './agent-wait.js';

export interface SendOptions {
  readonly handle: number;
  readonly octets: Uint8Array;
  readonly flags: readonly MessageFlag[];
  /** Octets that a message has room for. */
  readonly mostOctets: number;
}

/** Ends `wait` with the octets that were taken. */
export function sendIn(wait: AgentWait<number>, { handle, octets, flags, mostOctets }: SendOptions): void {
  const mayWait = !flags.includes('DONTWAIT');
  let sent = 0;
  const more = (): void => {
    const data = octets.subarray(sent, sent + mostOctets);
    const isLast = sent + data.length === octets.length;
    // One call stays one: what is urgent is the last octet of all, and pieces are no reason to push.
    const bits = isLast ? flagBits(flags) : (flagBits(flags) & ~MESSAGE_FLAGS.OOB) | MESSAGE_FLAGS.MORE;
    wait.ask(
      'SEND',
      { handle, body: { flags: bits, data }, as: { call: 'send' } },
      {
        answered: (taken) => {
          sent += taken.octets;
          const isStopped = wait.isTimeUp || (!mayWait && taken.octets < data.length);
          if (sent >= octets.length || isStopped || taken.octets === 0) wait.done(sent);
          else more();
        },
        // As with SO_SNDTIMEO: what has been taken is the result.
        cancelled: (taken) => {
          sent += taken;
          if (sent > 0) wait.done(sent);
          else wait.timeOut();
        },
        failed: (error) => {
          const isFull = error instanceof SocketError && error.errno === 'EAGAIN';
          if (!mayWait && sent > 0 && isFull) wait.done(sent);
          else wait.fail(error);
        },
      },
    );
  };
  more();
}
