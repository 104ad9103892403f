/** What is wrong with a fault or a plan, in one sentence for the person who wrote it. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}
