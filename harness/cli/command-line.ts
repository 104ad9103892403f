/** Answers a command line: does what it asks for, and turns what went wrong into one sentence and an exit code. */
import { CommanderError } from 'commander';
import { EngineError } from '../docker/index.js';
import { PlanError } from '../fault/index.js';
import { AttachRefused, LabUnavailable, NoSuchTarget } from '../lab/index.js';
import { ReportError } from '../report/index.js';
import { NoSuchPlace } from '../run/index.js';
import { messageOf, packageVersion } from '../text/index.js';
import { ToxiproxyError } from '../toxiproxy/index.js';
import { KernelUnavailable } from '../uml/index.js';
import { RulePlaceError, RulesUnavailable } from '../wire/index.js';
import { act } from './act.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import { program } from './program.js';

/** The exit code. */
export async function answer(args: readonly string[]): Promise<number> {
  let code: number = EXIT.asExpected;
  const root = program(packageVersion(), async (line) => {
    code = await act(line);
  });
  try {
    await root.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has said what is wrong already; help and version that were asked for are no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.asExpected : EXIT.usage;
    return refusal(error);
  }
}

/** What a person has said wrongly, and what this machine lacks. */
const OF_THE_COMMAND = [UsageError, PlanError, NoSuchPlace, NoSuchTarget, RulePlaceError];
const OF_THE_MACHINE = [
  EnvironmentError,
  EngineError,
  ReportError,
  LabUnavailable,
  AttachRefused,
  KernelUnavailable,
  RulesUnavailable,
  ToxiproxyError,
];

/** One sentence for what a person can mend. Anything else is a bug of ours, and says so with its trace. */
function refusal(error: unknown): number {
  const isCommands = OF_THE_COMMAND.some((kind) => error instanceof kind);
  if (isCommands || OF_THE_MACHINE.some((kind) => error instanceof kind)) {
    process.stderr.write(`lastack: ${messageOf(error)}\n`);
    return isCommands ? EXIT.usage : EXIT.environment;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`lastack: this is a bug in lastack, please report it: ${text}\n`);
  return EXIT.environment;
}
