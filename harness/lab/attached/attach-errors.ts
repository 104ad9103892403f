/** Why something could not be attached to: one sentence for the person at the terminal. */

/** There is nothing of that name to attach to. */
export class NoSuchTarget extends Error {
  override readonly name = 'NoSuchTarget';
}

/** This machine, or this user, cannot attach: the message says what is missing and what to do. */
export class AttachRefused extends Error {
  override readonly name = 'AttachRefused';
}
