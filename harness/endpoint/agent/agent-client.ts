/** What an agent can be asked besides what sockets do: who it is, and for namespaces, netlink and files. `AgentEndpoint` drives the sockets. */
import type { SocketState } from '../endpoint.js';
import { type AgentTransition, stateOfNumber } from './agent-events.js';
import { AgentLink } from './agent-link.js';
import { CAPABILITIES, type Capabilities, FILE_MODES, TIMERS, VERSION } from './agent-requests.js';

export interface AgentHello {
  readonly version: number;
  /** What it has; without it, it answers "unsupported". */
  readonly capabilities: Capabilities;
  readonly mostMessageOctets: number;
  readonly mostSockets: number;
  /** `linux@6.12.117`. */
  readonly stack: string;
  /** For people. */
  readonly system: string;
}

export type FileMode = keyof typeof FILE_MODES;

/** Octets that are asked for in one read(2) of a whole file. */
const CHUNK_OCTETS = 65_536;
/** An agent that takes no messages of so many octets has no room for an option's name and value. */
const LEAST_MESSAGE_OCTETS = 1024;

export class AgentClient extends AgentLink {
  async hello(): Promise<AgentHello> {
    const said = await this.request('HELLO', { body: { lowest: VERSION, highest: VERSION } });
    if (said.version !== VERSION)
      throw new Error(
        `the agent speaks version ${said.version} of its protocol, and this is version ${VERSION}: build it anew`,
      );
    if (said.mostOctets < LEAST_MESSAGE_OCTETS)
      throw new Error(
        `the agent takes messages of ${said.mostOctets} octets, and ${LEAST_MESSAGE_OCTETS} are the least to work with`,
      );
    this.limitMessages(said.mostOctets);
    return {
      version: said.version,
      capabilities: capabilitiesOf(said.capabilities),
      mostMessageOctets: said.mostOctets,
      mostSockets: said.mostSockets,
      stack: said.stack,
      system: said.system,
    };
  }

  /** The states of all sockets, those in TIME-WAIT too. */
  async sockets(): Promise<readonly SocketState[]> {
    const { sockets } = await this.request('SOCKETS', { body: {} });
    return sockets.map(({ state, local, remote, recvOctets, sendOctets, timer, remainsMs, retransmits }) => {
      const name = TIMERS[timer - 1];
      return {
        local,
        remote,
        state: stateOfNumber(state) ?? 'CLOSED',
        recvQueueOctets: recvOctets,
        sendQueueOctets: sendOctets,
        ...(name === undefined ? {} : { timer: { name, remainsMs, retransmits } }),
      };
    });
  }

  /** From now on tells each change of state of all connections, those that nobody has a socket of too. */
  async watchTransitions(receive: (transition: AgentTransition) => void): Promise<void> {
    await this.watch(0, ['transition'], (event) => {
      if (event.kind === 'transition') receive(event.transition);
    });
  }

  /** A new network namespace: its handle, and its descriptor in the agent for netlink messages that name it. */
  async newNamespace(): Promise<{ readonly handle: number; readonly fd: number }> {
    return this.request('NAMESPACE_NEW', { body: {} });
  }

  async freeNamespace(handle: number): Promise<void> {
    await this.request('NAMESPACE_FREE', { handle, body: {} });
  }

  /** Asks a namespace's kernel (0: the agent's own) and gives the datagrams of the answer, one behind the other. */
  async netlink(namespace: number, protocol: number, message: Uint8Array): Promise<Uint8Array> {
    return (await this.request('NETLINK', { body: { namespace, protocol, message } })).answer;
  }

  /** A file's handle; it is opened from within the namespace and never blocks. */
  async open(namespace: number, path: string, mode: FileMode | readonly FileMode[]): Promise<number> {
    const flags = [mode].flat().reduce((bits, each) => bits | FILE_MODES[each], 0);
    const as = { call: 'open', detail: path };
    return (await this.request('OPEN', { body: { namespace, flags, path }, as })).handle;
  }

  /** At most so many octets, a chunk for each read(2). None: end of file, or nothing now. */
  async read(file: number, most = CHUNK_OCTETS): Promise<readonly Uint8Array[]> {
    return (await this.request('READ', { handle: file, body: { most: Math.min(most, this.mostData) } }))
      .chunks;
  }

  /** Octets written. */
  async write(file: number, octets: Uint8Array): Promise<number> {
    return (await this.request('WRITE', { handle: file, body: { octets } })).octets;
  }

  async closeFile(file: number): Promise<void> {
    await this.request('CLOSE_FILE', { handle: file, body: {} });
  }

  /** All that a file holds. */
  async readFile(namespace: number, path: string): Promise<Uint8Array> {
    const file = await this.open(namespace, path, 'read');
    const parts: Uint8Array[] = [];
    try {
      for (;;) {
        const read = await this.read(file);
        if (read.length === 0) return new Uint8Array(Buffer.concat(parts));
        parts.push(...read);
      }
    } finally {
      await this.closeFile(file);
    }
  }

  /** Replaces what an existing file holds, or gives a setting its value. */
  async writeFile(namespace: number, path: string, text: string): Promise<void> {
    const file = await this.open(namespace, path, ['write', 'truncate']);
    try {
      let octets = new TextEncoder().encode(text);
      do {
        const as = { call: 'write', detail: path };
        const body = { octets: octets.subarray(0, this.mostData) };
        const taken = (await this.request('WRITE', { handle: file, body, as })).octets;
        if (taken === 0 && octets.length > 0) throw new Error(`${path} took none of ${octets.length} octets`);
        octets = octets.subarray(taken);
      } while (octets.length > 0);
    } finally {
      await this.closeFile(file);
    }
  }
}

function capabilitiesOf(bits: number): Capabilities {
  const has = (name: keyof typeof CAPABILITIES) => (bits & CAPABILITIES[name]) !== 0;
  return {
    namespaces: has('namespaces'),
    netlink: has('netlink'),
    files: has('files'),
    tcpInfo: has('tcpInfo'),
    sockets: has('sockets'),
    stateEvents: has('stateEvents'),
    transitions: has('transitions'),
  };
}
