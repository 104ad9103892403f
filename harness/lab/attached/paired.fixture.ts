/** For tests of a wire between two namespaces that others made, with this machine's kernel at both ends or at one. */
import type { Connection } from '../../endpoint/index.js';
import type { Fault, Side } from '../../fault/index.js';
import { Ends } from './attached.fixture.js';
import { openPairedWire, type PairedEnd, type PairedWire, type PairedWireOptions } from './paired-wire.js';

export interface Paired {
  readonly ends: Ends;
  readonly wire: PairedWire;
}

export interface PairedOptions extends Partial<Omit<PairedWireOptions, 'ends' | 'addresses'>> {
  readonly ipVersion?: 4 | 6;
  readonly peer?: Side;
}

/** Puts a wire between two namespaces for one step, and ends it, also when the step fails. */
export async function withPairedWire<T>(
  faults: readonly Fault[],
  step: (parts: Paired) => Promise<T>,
  { ipVersion = 4, peer, ...options }: PairedOptions = {},
): Promise<T> {
  await using ends = new Ends({ ipVersion });
  const end = (side: Side): PairedEnd =>
    side === peer ? { kind: 'peer' } : { kind: 'namespace', namespace: ends.namespace(side) };
  await using wire = await openPairedWire({
    ends: { client: end('client'), server: end('server') },
    addresses: { client: ends.ip('client'), server: ends.ip('server') },
    faults,
    ...options,
  });
  return await step({ ends, wire });
}

/** What `from` has sent, as far as the other has it. */
export async function carries(
  { client, server }: Readonly<Record<Side, Connection>>,
  from: Side,
  text: string,
): Promise<string> {
  const [sender, receiver] = from === 'client' ? [client, server] : [server, client];
  await sender.send(Buffer.from(text));
  return String((await receiver.receiveAll({ octets: text.length })).data);
}
