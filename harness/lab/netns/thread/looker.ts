/** The observers that look at the endpoints' sockets from the wire's thread, when a segment has come or gone. */
import type { Clock } from '../../../clock/index.js';
import type { Side } from '../../../fault/index.js';
import { type NoteRecord, type Sighting, SnapshotWatcher } from '../../../observe/index.js';
import type { Segment } from '../../../segment/index.js';
import { NetworkNamespace } from '../../../sys/index.js';
import type { LookerOptions } from './protocol.js';

export interface Looker extends Disposable {
  look(side: Side, segment: Segment | undefined): void;
  /** Looks at everything: what no segment has told of. */
  lookAtAll(): void;
}

export function makeLooker(
  { ipVersion, ends, hasTracepoints }: LookerOptions,
  clock: Clock,
  report: (record: Sighting | NoteRecord) => void,
): Looker {
  return new SnapshotWatcher({
    ends: ends.map(({ side, namespaceFd, ip }) => ({
      side,
      namespace: NetworkNamespace.ofFd(namespaceFd),
      ip,
    })),
    ipVersion,
    clock,
    report,
    hasTracepoints,
  });
}
