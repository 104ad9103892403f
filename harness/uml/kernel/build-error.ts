/** Something could not be built on this machine. The message is one sentence: what, why, what to do. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}
