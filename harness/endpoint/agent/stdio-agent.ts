/** An agent as a child process that is spoken with over its stdin and stdout: beside us, or at the far end of a shell such as ssh. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { AgentChannel } from './agent-channel.js';

/** The end of what it complained of, for the sentence that says why it is gone. */
const COMPLAINT_CHARACTERS = 500;

/** Starts the agent; it ends with the channel, or with this process. Nothing that fails is thrown here: it ends the channel. */
export function openStdioAgent(command: string, args: readonly string[] = []): AgentChannel {
  return new StdioChannel(command, args);
}

class StdioChannel implements AgentChannel {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #killAtExit = () => this.#child.kill('SIGKILL');
  #ended: (reason: string) => void = () => {};
  #complaint = '';
  #isOver = false;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: 'pipe' });
    process.once('exit', this.#killAtExit);
    this.#child.on('error', (error) => this.#end(`"${command}" cannot be run: ${error.message}`));
    // After all that it had said.
    this.#child.on('close', (code, signal) => this.#end(endOf(code, signal, this.#complaint)));
    // What it no longer reads it cannot answer, and its end is told by "close".
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-COMPLAINT_CHARACTERS);
    });
  }

  send(octets: Uint8Array): void {
    if (!this.#isOver) this.#child.stdin.write(octets);
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.#child.stdout.on('data', (octets: Uint8Array) => {
      if (!this.#isOver) receive(octets);
    });
  }

  onEnd(ended: (reason: string) => void): void {
    this.#ended = ended;
  }

  /** The end of its input makes an agent abort what is open, and go. */
  close(): void {
    const { stdin, stdout, stderr } = this.#child;
    stdin.end();
    stdout.destroy();
    stderr.destroy();
    this.#child.unref();
    this.#end('the channel was closed');
  }

  #end(reason: string): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      process.removeListener('exit', this.#killAtExit);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended(reason);
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null, complaint: string): string {
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  const last = complaint.trim().split('\n').at(-1);
  return last ? `its process ${how} and said "${last}"` : `its process ${how}`;
}
