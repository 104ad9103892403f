/** Asks a kernel by netlink through an agent that lives on it. */
import type { AgentClient } from '../endpoint/index.js';
import { type NetlinkMessage, type NetlinkRequest, requestMessage, takeAnswers } from '../sys/index.js';

export interface AgentNamespace {
  readonly client: AgentClient;
  /** Its handle; 0: the agent's own. */
  readonly namespace: number;
}

/** `sequence` numbers the request. Rejects with what the kernel refuses. */
export async function askThroughAgent(
  { client, namespace }: AgentNamespace,
  protocol: number,
  request: NetlinkRequest,
  sequence: number,
): Promise<readonly NetlinkMessage[]> {
  const octets = await client.netlink(namespace, protocol, requestMessage(request, sequence));
  return takeAnswers(octets, request).answers;
}
