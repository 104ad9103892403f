/** What a simulation says when something is not as it must be. */
export class Violation extends Error {
  override readonly name: string = 'Violation';
}

/** `otherwise` says what is wrong; it is asked only then, for this is called at every step. */
export function demand(condition: boolean, otherwise: () => string): asserts condition {
  if (!condition) throw new Violation(otherwise());
}
