/**
 * The way to an agent: octets in order, both ways, and nothing else. A child process's stdio, a TCP connection, or frames
 * on a guest's control device in virtual time all do.
 */
export interface AgentChannel {
  /** Hands octets over at once; the channel keeps what it cannot send yet. */
  send(octets: Uint8Array): void;
  /** To be set once, before anything can come. The octets belong to the receiver: a channel does not reuse them. */
  onOctets(receive: (octets: Uint8Array) => void): void;
  /** Called once, when nothing more can come, with one sentence that says why. */
  onEnd(ended: (reason: string) => void): void;
  /** Ends the channel, and the agent with it where it lives for this channel alone. */
  close(): void;
}
