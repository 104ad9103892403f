/** For the tests of tracing instances: a process that has one, says so, and waits for its end. */
import { findTracefs, TracingInstance } from './tracing-instance.js';

const tracefs = findTracefs();
if ('why' in tracefs) throw new Error(tracefs.why);
const instance = TracingInstance.create(tracefs.root);
instance.open('trace_pipe');
process.stdout.write(`${instance.path}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
