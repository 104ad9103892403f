/** The observers that look at the endpoints' sockets from the wire's thread, when a segment has come or gone. */
import type { Clock } from '../../../clock/index.js';
import type { Side } from '../../../fault/index.js';
import { type NoteRecord, type Sighting, SnapshotWatcher, type WatchedEnd } from '../../../observe/index.js';
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
    ends: ends.map(({ side, namespaceFd, ip, remoteIp }) => ({
      side,
      namespace: NetworkNamespace.ofFd(namespaceFd),
      ip,
      ...(remoteIp === undefined ? {} : { owns: isBetween(ip, remoteIp) }),
    })),
    ipVersion,
    clock,
    report,
    hasTracepoints,
  });
}

/** Listeners have no remote port. */
const isBetween =
  (localIp: string, remoteIp: string): NonNullable<WatchedEnd['owns']> =>
  ({ local, remote }) =>
    local.ip === localIp && (remote.ip === remoteIp || remote.port === 0);
