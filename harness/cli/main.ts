/** The process of the command line: arguments in, exit code out (0 as expected, 1 a verdict failed, 2 usage, 3 environment). */
import { EXIT } from './exit.js';
import { interrupt } from './interrupt.js';

// What is held (namespaces, sockets, the wire's thread) goes with the process; the tracing instance has a guard. Listened to until the
// end: a second one must not end by itself what the first one has begun to end.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const)
  process.on(signal, () => {
    if (!interrupt()) process.exit(128 + number);
  });
// A reader such as `head` may go before we have said everything.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : EXIT.environment),
);

const code = await answer(process.argv.slice(2));
// A Ctrl-C that came while this thread was busy counts: a guest that has just been started may have died of it.
await new Promise((resolve) => setImmediate(resolve));
process.exit(code);

/** What labs start and wait for needs little of what the commands of people load. */
async function answer(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case 'wire':
      return (await import('./wire.js')).wire(rest);
    case 'stack-endpoint':
      return (await import('./stack-endpoint.js')).answerStackEndpoint(rest);
    default:
      return (await import('./command-line.js')).answer(args);
  }
}
