import { Agent, get, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

/** Asks for an order, as the service's clients do: one request, and then the client closes the connection. */
export async function order(id: number, { ip, port }: { ip: string; port: number }): Promise<unknown> {
  const agent = new Agent({ keepAlive: true });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ agent, host: ip, port, path: `/orders/${id}` }, resolve).on('error', reject);
    });
    return await json(response);
  } finally {
    agent.destroy();
  }
}
