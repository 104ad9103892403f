/** A guest that can be used no longer: it panicked, was killed, hangs, or said what it must not. */
export class GuestDied extends Error {
  override readonly name = 'GuestDied';
  constructor(
    readonly guest: string,
    readonly reason: string,
    /** The last of its kernel's log. */
    readonly log = '',
  ) {
    super(`the guest ${guest} died: ${reason}${log === '' ? '' : `; the last of its log:\n${log}`}`);
  }
}
