/** Runs the tools of rules inside a network namespace. */
import { lineAtFault } from './batch.js';
import { type Command, commandText, TOOL_ENVIRONMENT } from './command.js';

export interface ApplyOptions {
  /** A path that names the network namespace, such as /proc/42/ns/net; default: that of this process. */
  readonly namespace?: string;
}

/** A tool or a part of the kernel is missing, or we may not use it: what the tool said. */
export class RulesUnavailable extends Error {
  override readonly name = 'RulesUnavailable';
}

/** Where the tools are, by the package of Debian's. */
const PACKAGES: Readonly<Record<string, string>> = {
  iptables: 'iptables',
  ip6tables: 'iptables',
  'iptables-save': 'iptables',
  'ip6tables-save': 'iptables',
  'iptables-restore': 'iptables',
  'ip6tables-restore': 'iptables',
  nft: 'nftables',
  tc: 'iproute2',
  nsenter: 'util-linux',
};

/** Programs are long. */
const shortened = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

export class Runner {
  readonly #namespace: string | undefined;
  readonly #execa: typeof import('execa');

  private constructor({ namespace }: ApplyOptions, execa: typeof import('execa')) {
    this.#namespace = namespace;
    this.#execa = execa;
  }

  /** execa is loaded only here: the wire's thread comes through the same door, and is to start fast. */
  static async open(options: ApplyOptions): Promise<Runner> {
    return new Runner(options, await import('execa'));
  }

  #inside({ argv }: Command): readonly [string, readonly string[]] {
    const [file = '', ...args] = argv;
    if (this.#namespace === undefined) return [file, args];
    return ['nsenter', [`--net=${this.#namespace}`, '--', file, ...args]];
  }

  #options({ input = '' }: Command) {
    return { reject: false, input, env: TOOL_ENVIRONMENT } as const;
  }

  /** Its standard output. */
  async must(command: Command): Promise<string> {
    const result = await this.#execa.execa(...this.#inside(command), this.#options(command));
    return outputOf(command, result);
  }

  mustSync(command: Command): string {
    return outputOf(command, this.#execa.execaSync(...this.#inside(command), this.#options(command)));
  }

  /** For the end of the process, where nobody can be told. Whether it went well. */
  sync(command: Command): boolean {
    return !this.#execa.execaSync(...this.#inside(command), this.#options(command)).failed;
  }
}

interface Ended {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
  readonly code?: string | undefined;
}

function outputOf(command: Command, { failed, stdout, stderr, code }: Ended): string {
  if (!failed) return stdout;
  const [tool = ''] = command.argv;
  const isMissing = code === 'ENOENT' || /failed to execute .*No such file/.test(stderr);
  if (isMissing)
    throw new RulesUnavailable(`"${tool}" is missing: apt-get install ${PACKAGES[tool] ?? tool}`);
  const what = shortened(lineAtFault(command, stderr) ?? commandText({ argv: command.argv }));
  throw new RulesUnavailable(`${what}: ${stderr.trim().split('\n').join('; ') || 'failed'}`);
}
