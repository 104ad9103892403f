/**
 * The npm package `toxiproxy-node-client` for those who know it: the same server through other methods. It speaks TCP only, and what of it is
 * stale is in docs/toxiproxy.md.
 */
import type { Toxiproxy } from 'toxiproxy-node-client';

export type { Toxiproxy } from 'toxiproxy-node-client';

/** `url` is that of the API, such as `http://127.0.0.1:8474`. */
export async function nodeClient(url: string): Promise<Toxiproxy> {
  // Nobody else waits for it to be loaded.
  const { Toxiproxy: Client } = await import('toxiproxy-node-client');
  return new Client(url);
}
