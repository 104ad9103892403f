/** The way to an agent that is a container's process: its stdin and stdout, attached before it starts. */
import type { RunningContainer } from '../../docker/index.js';
import type { AgentChannel } from '../../endpoint/index.js';

/** The end of what it complained of, for the sentence that says why it is gone. */
const COMPLAINT_CHARACTERS = 500;

type Spoken = Pick<RunningContainer, 'stdio' | 'ended'>;

export function containerChannel(container: Spoken): AgentChannel {
  return new ContainerChannel(container);
}

class ContainerChannel implements AgentChannel {
  readonly #stdio: RunningContainer['stdio'];
  #ended: (reason: string) => void = () => {};
  #complaint = '';
  #isOver = false;

  constructor({ stdio, ended }: Spoken) {
    this.#stdio = stdio;
    // What it no longer reads it cannot answer, and its end is told by `ended`.
    stdio.stdin.on('error', () => {});
    stdio.stderr.on('data', (octets: Buffer) => {
      this.#complaint = (this.#complaint + octets.toString('utf8')).slice(-COMPLAINT_CHARACTERS);
    });
    ended.then(({ sentence }) => this.#end(withComplaint(sentence, this.#complaint)));
  }

  send(octets: Uint8Array): void {
    if (!this.#isOver) this.#stdio.stdin.write(octets);
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.#stdio.stdout.on('data', (octets: Uint8Array) => {
      if (!this.#isOver) receive(octets);
    });
  }

  onEnd(ended: (reason: string) => void): void {
    this.#ended = ended;
  }

  /** The end of its input makes an agent abort what is open, and go: its container goes with it. */
  close(): void {
    this.#stdio.stdin.end();
    this.#end('the channel was closed');
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended(reason);
  }
}

function withComplaint(sentence: string, complaint: string): string {
  const last = complaint.trim().split('\n').at(-1);
  return last ? `${sentence}, and said "${last}"` : sentence;
}
