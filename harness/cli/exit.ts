/** Exit codes, and the errors that lead to them: one sentence for the person at the terminal, no stack trace. */
export const EXIT = { asExpected: 0, verdictFailed: 1, usage: 2, environment: 3 } as const;

/** The command was called wrongly: what is wrong, and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** This machine cannot do what was asked: what is missing, and how to get it. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}
