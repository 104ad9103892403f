/** What a container said last, for the sentence that tells of its failure. */
import { messageOf } from '../../text/index.js';

const LINES = 5;

interface Speaker {
  logs(options: { readonly tailLines: number }): Promise<string>;
}

/** Never rejects. */
export async function lastWords(container: Speaker): Promise<string> {
  const said = await container.logs({ tailLines: LINES }).catch(messageOf);
  return said.trim() === '' ? 'it said nothing' : `it said last: ${said.trim().replaceAll('\n', ' | ')}`;
}
