export const explainLabFailure = (error: unknown): unknown => error;
