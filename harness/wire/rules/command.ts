/** Commands as data, and as what a person can read and paste into a shell. */

export interface Command {
  readonly argv: readonly string[];
  /** Its standard input. */
  readonly input?: string;
  /** What it does, in words; several commands in a row can share them. */
  readonly why?: string;
}

const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

export const quoted = (word: string): string =>
  PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

export function commandText({ argv, input }: Command): string {
  const line = argv.map(quoted).join(' ');
  return input === undefined ? line : `${line} <<'END'\n${input}END`;
}

/** Each comment stands before what it is about. */
export const commandLines = (commands: readonly Command[]): readonly string[] =>
  commands.flatMap((command) => [
    ...(command.why === undefined ? [] : command.why.split('\n').map((line) => `# ${line}`)),
    commandText(command),
  ]);

/** The tools are for root, and their folders are not in everybody's path. */
export const TOOL_ENVIRONMENT = { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
