/** A guest that can be used no longer: it panicked, was killed, hangs, or said what it must not. */
export class GuestDied extends Error {
  override readonly name = 'GuestDied';
  /** Without the log. */
  readonly sentence: string;

  constructor(
    readonly guest: string,
    readonly reason: string,
    /** What its kernel has said, the last of it; the message's other lines are the end of this. */
    readonly log = '',
  ) {
    const sentence = `the guest ${guest} died: ${reason}`;
    super(log === '' ? sentence : `${sentence}\nthe last that its kernel said:\n${lastLines(log)}`);
    this.sentence = sentence;
  }
}

/** What is known of a guest whose sockets have ended, before it is asked how. */
export const IS_GONE = 'it is gone';

/** A panic with its registers and its stack has about as many. */
const SHOWN_LINES = 40;

const lastLines = (text: string): string => text.split('\n').slice(-SHOWN_LINES).join('\n');
