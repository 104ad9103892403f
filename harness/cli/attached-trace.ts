/** What an attachment has recorded, as a trace. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { Recording } from '../lab/index.js';
import { decode } from '../segment/index.js';
import { assemble, type Trace } from '../trace/index.js';

/** What matters to what is shown next: segments may overtake each other by this. */
const RECENT_NS = 2000 * NANOS_PER_MS;

/** Its times count from `attachedNs`, before which there is nothing. */
export function attachedTrace(
  recording: Recording,
  { text, attachedNs }: { readonly text: string; readonly attachedNs: Nanos },
): Trace {
  return assemble(recording, {
    scenario: `attach to ${text}`,
    lab: 'attached',
    ipVersion: versionOf(recording),
    endpoints: [],
    marks: [{ kind: 'mark', atNs: attachedNs, text: `attached to ${text}` }],
  });
}

/** What can still change, what has come since `sinceNs` of the attachment's clock, and a segment of each connection. */
export function recentPart(recording: Recording, sinceNs: Nanos): Recording {
  const flows = new Set<number>();
  const segments = recording.segments.filter(({ atNs, facts, deliveries }) => {
    const isFirst = facts !== undefined && !flows.has(facts.flow);
    if (isFirst) flows.add(facts.flow);
    return isFirst || atNs > sinceNs - RECENT_NS || deliveries.some((delivery) => delivery.atNs > sinceNs);
  });
  return { ...recording, segments };
}

function versionOf({ segments: [first] }: Recording): 4 | 6 {
  const decoded = first && decode(first.packet);
  return decoded?.kind === 'segment' ? decoded.segment.ip.version : 4;
}
