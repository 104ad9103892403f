/** The process of the command line: arguments in, exit code out (0 as expected, 1 a verdict failed, 2 usage, 3 environment). */
import { answer } from './command-line.js';
import { EXIT } from './exit.js';

// What is held (namespaces, sockets, the wire's thread) goes with the process; the tracing instance has a guard.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const)
  process.once(signal, () => process.exit(128 + number));
// A reader such as `head` may go before we have said everything.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : EXIT.environment),
);

process.exit(await answer(process.argv.slice(2)));
