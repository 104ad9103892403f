/**
 * Rules at work in a network namespace: applied as a whole or not at all, counted, and removed. What ends the process without
 * a signal that cannot be caught removes them too; what a kill -9 leaves behind has our tag, for `sweepRules`.
 */
import { execa, execaSync } from 'execa';
import type { Receipt } from '../../fault/index.js';
import { type Command, commandText, TOOL_ENVIRONMENT } from './command.js';
import { receiptsOf } from './receipts.js';
import type { RuleSet } from './rule-set.js';

export interface ApplyOptions {
  /** A path that names the network namespace, such as /proc/42/ns/net; default: that of this process. */
  readonly namespace?: string;
}

/** A tool or a part of the kernel is missing, or we may not use it: what the tool said. */
export class RulesUnavailable extends Error {
  override readonly name = 'RulesUnavailable';
}

export class AppliedRules implements AsyncDisposable {
  readonly #run: Runner;
  #isApplied = true;
  readonly #removeAtExit = (): void => {
    for (const command of this.rules.remove) this.#run.sync(command);
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
    const run = new Runner(options);
    const [first, ...others] = rules.apply;
    if (first === undefined) throw new Error('there are no rules to apply');
    // Where the first fails nothing is ours: it makes what everything else is in.
    await run.must(first);
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
    let failed: unknown;
    for (const command of this.rules.remove)
      await this.#run.must(command).catch((error: unknown) => {
        failed ??= error;
      });
    return failed;
  }
}

/** Where the tools are, by the package of Debian's. */
const PACKAGES: Readonly<Record<string, string>> = {
  iptables: 'iptables',
  ip6tables: 'iptables',
  'iptables-save': 'iptables',
  'ip6tables-save': 'iptables',
  nft: 'nftables',
  tc: 'iproute2',
  nsenter: 'util-linux',
};

/** Programs are long. */
const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

class Runner {
  readonly #namespace: string | undefined;

  constructor({ namespace }: ApplyOptions) {
    this.#namespace = namespace;
  }

  #inside({ argv }: Command): readonly [string, readonly string[]] {
    const [file = '', ...args] = argv;
    if (this.#namespace === undefined) return [file, args];
    return ['nsenter', [`--net=${this.#namespace}`, '--', file, ...args]];
  }

  /** Its standard output. */
  async must(command: Command): Promise<string> {
    const [file, args] = this.#inside(command);
    const { failed, stdout, stderr, code } = await execa(file, args, {
      reject: false,
      input: command.input ?? '',
      env: TOOL_ENVIRONMENT,
    });
    if (!failed) return stdout;
    const [tool = ''] = command.argv;
    const isMissing = code === 'ENOENT' || /failed to execute .*No such file/.test(stderr);
    throw new RulesUnavailable(
      isMissing
        ? `"${tool}" is missing: apt-get install ${PACKAGES[tool] ?? tool}`
        : `${shortened(commandText({ argv: command.argv }))}: ${stderr.trim().split('\n').join('; ') || 'failed'}`,
    );
  }

  /** For the end of the process, where nothing can be awaited, and nobody told. */
  sync(command: Command): void {
    const [file, args] = this.#inside(command);
    execaSync(file, args, { reject: false, input: command.input ?? '', env: TOOL_ENVIRONMENT });
  }
}
