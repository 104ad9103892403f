/** What becomes of requests that no answer can come to any more. */
export class AgentGone extends Error {
  override readonly name = 'AgentGone';
  constructor(
    /** One sentence, as the channel gave it. */
    readonly reason: string,
  ) {
    super(`the agent is gone: ${reason}`);
  }
}
