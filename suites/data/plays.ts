/** What is said in the scenarios of this suite. */
import { type Stage, segment } from '../../harness/index.js';
import { acknowledged, established, says } from '../roads.js';

/** More than a segment holds, in each direction, and a word more when all has been read. */
export async function exchanges(stage: Stage): Promise<void> {
  const { client, server } = await established(stage);
  await says(client, server, 'question '.repeat(400));
  await says(server, client, 'answer '.repeat(600));
  await says(client, server, 'thanks');
  await acknowledged(stage);
}

/** The last octet that the client sends is urgent. The server's program asks, reads it, and then what came before. */
export async function urges(stage: Stage): Promise<void> {
  const { client, server } = await established(stage);
  await says(client, server, 'ping');
  await client.send('stop!', { flags: ['OOB'] });
  await stage.wire.sees(segment().from('client').withFlags('URG'), { delivered: true });
  // A look that leaves it there waits until it has come.
  await server.receive({ max: 1, flags: ['OOB', 'PEEK'] });
  await server.poll();
  await server.receive({ max: 1, flags: ['OOB'] });
  await server.receiveAll({ octets: 4 });
  await server.atUrgentMark();
}
