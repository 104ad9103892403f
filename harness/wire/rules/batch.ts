/** Many commands of iptables as one of iptables-restore: a hundredth of the time, and all of them or none. */
import type { Command } from './command.js';

/** What every command of ours begins with. */
const HEAD = ['-w', '-t', 'mangle'] as const;

/** Commands in a row for the same program become one; others stay as they are. */
export function batched(commands: readonly Command[]): readonly Command[] {
  const all: Command[] = [];
  let pending: { readonly program: string; readonly lines: string[] } | undefined;
  const flush = (): void => {
    if (pending !== undefined) all.push(restoring(pending.program, pending.lines));
    pending = undefined;
  };
  for (const command of commands) {
    const [program = '', ...words] = command.argv;
    const isOurs = /^ip6?tables$/.test(program) && HEAD.every((word, i) => words[i] === word);
    if (!isOurs || pending?.program !== program) flush();
    if (!isOurs) all.push(command);
    else {
      pending ??= { program, lines: [] };
      pending.lines.push(words.slice(HEAD.length).map(restoreWord).join(' '));
    }
  }
  flush();
  return all;
}

const restoring = (program: string, lines: readonly string[]): Command => ({
  argv: [`${program}-restore`, '-w', '--noflush'],
  input: `*mangle\n${lines.join('\n')}\nCOMMIT\n`,
});

/** iptables-restore knows double quotes, and a backslash before one. */
const restoreWord = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./!|-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`;

/** The line of its input that a tool complains of: `line 7 failed`. */
export function lineAtFault({ input }: Command, complaint: string): string | undefined {
  const [, number] = /\bline:? (\d+)\b/.exec(complaint) ?? [];
  return number === undefined ? undefined : input?.split('\n')[Number(number) - 1];
}
