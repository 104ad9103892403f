/**
 * Rules at work in a network namespace: applied as a whole or not at all, counted, and removed. What ends the process without
 * a signal that cannot be caught removes them too; what a kill -9 leaves behind has our tag, for `sweepRules`.
 */
import type { Receipt } from '../../fault/index.js';
import { batched } from './batch.js';
import type { Command } from './command.js';
import { receiptsOf } from './receipts.js';
import type { RuleSet } from './rule-set.js';
import { type ApplyOptions, Runner } from './runner.js';

export class AppliedRules implements AsyncDisposable {
  readonly #run: Runner;
  #isApplied = true;
  readonly #removeAtExit = (): void => {
    // A batch does all or nothing; what it could not do is done one by one.
    for (const batch of batched(this.rules.remove))
      if (!this.#run.sync(batch)) for (const command of this.rules.remove) this.#run.sync(command);
  };

  private constructor(
    readonly rules: RuleSet,
    run: Runner,
  ) {
    this.#run = run;
    process.once('exit', this.#removeAtExit);
  }

  /** Rejects with `RulesUnavailable`, and leaves nothing. */
  static async apply(rules: RuleSet, options: ApplyOptions = {}): Promise<AppliedRules> {
    const run = await Runner.open(options);
    const [first, ...others] = batched(rules.apply);
    if (first === undefined) throw new Error('there are no rules to apply');
    // Where the first fails nothing is ours: it makes what everything else is in. Not awaited, so that no signal is
    // handled between it and the promise to remove it.
    run.mustSync(first);
    const applied = new AppliedRules(rules, run);
    try {
      for (const command of others) await run.must(command);
      return applied;
    } catch (error) {
      await applied.#remove();
      throw error;
    }
  }

  /** What was matched and acted on so far. */
  async receipts(): Promise<readonly Receipt[]> {
    const printed: string[] = [];
    for (const command of this.rules.count) printed.push(await this.#run.must(command));
    return receiptsOf(this.rules, printed);
  }

  /** Throws where something of ours is still there, and says what. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isApplied) return;
    const failed = await this.#remove();
    if (failed !== undefined) throw failed;
  }

  /** Goes on where a command fails; the first failure. */
  async #remove(): Promise<unknown> {
    this.#isApplied = false;
    process.removeListener('exit', this.#removeAtExit);
    if ((await this.#failureOf(batched(this.rules.remove))) === undefined) return undefined;
    // A batch does all or nothing: whatever can be removed is removed one by one.
    return this.#failureOf(this.rules.remove);
  }

  async #failureOf(commands: readonly Command[]): Promise<unknown> {
    let failed: unknown;
    for (const command of commands)
      await this.#run.must(command).catch((error: unknown) => {
        failed ??= error;
      });
    return failed;
  }
}
