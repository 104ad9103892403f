/** For tests of a wire between two namespaces that others made, with this machine's kernel at both ends or at one. */
import type { Connection } from '../../endpoint/index.js';
import type { Fault, Side } from '../../fault/index.js';
import { Ends, PORT } from './attached.fixture.js';
import type { PairedEnd } from './paired-start.js';
import { openPairedWire, type PairedWire, type PairedWireOptions } from './paired-wire.js';
import type { WireProcess } from './remote/index.js';

export interface Paired {
  readonly ends: Ends;
  readonly wire: PairedWire;
}

export interface PairedOptions extends Partial<Omit<PairedWireOptions, 'ends' | 'addresses' | 'through'>> {
  readonly ipVersion?: 4 | 6;
  readonly peer?: Side;
  /** Is on another machine: its namespace has no hook. */
  readonly far?: Side;
  /** Default: a thread. */
  readonly process?: WireProcess;
}

/** Puts a wire between two namespaces for one step, and ends it, also when the step fails. */
export async function withPairedWire<T>(
  faults: readonly Fault[],
  step: (parts: Paired) => Promise<T>,
  { ipVersion = 4, peer, far, process: wireProcess, ...options }: PairedOptions = {},
): Promise<T> {
  await using ends = new Ends({ ipVersion });
  const end = (side: Side): PairedEnd => {
    if (side === peer) return { kind: 'peer' };
    if (side === far) return { kind: 'far' };
    const namespace = ends.namespace(side);
    if (wireProcess === undefined) return { kind: 'namespace', namespace };
    return { kind: 'namespace', path: `/proc/${process.pid}/fd/${namespace.fd}` };
  };
  await using wire = await openPairedWire({
    through: wireProcess === undefined ? { kind: 'thread' } : { kind: 'process', ...processOf(wireProcess) },
    ends: { client: end('client'), server: end('server') },
    addresses: { client: ends.ip('client'), server: ends.ip('server') },
    faults,
    ...options,
  });
  return await step({ ends, wire });
}

const processOf = ({ stdio, ended }: WireProcess): WireProcess => ({ stdio, ended });

/** Opens a hundred connections at once, each with a few octets, and closes them. */
export async function hundredConnections(ends: Ends): Promise<void> {
  const listener = await ends.server.listen({ port: PORT, backlog: 128 });
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const client = await ends.client.connect(listener.local);
      const server = await listener.accept();
      await client.send(Buffer.from('hello'));
      await client.close();
      await server.receive();
      await server.close();
    }),
  );
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
